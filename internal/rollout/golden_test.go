package rollout_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/golden"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// scenario is one YAML document of testdata.
type scenario struct {
	About    string `json:"about"`
	Revision string `json:"revision"`
	Strategy struct {
		Waves []struct {
			Name           string   `json:"name"`
			Clusters       []string `json:"clusters"`
			MaxConcurrency string   `json:"max_concurrency"`
			Soak           duration `json:"soak"`
		} `json:"waves"`
		MaxConcurrency   string   `json:"max_concurrency"`
		MaxFailures      string   `json:"max_failures"`
		ProgressDeadline duration `json:"progress_deadline"`
		OnFailure        string   `json:"on_failure"`
		Through          string   `json:"through"`
	} `json:"strategy"`
	Clusters map[string]member `json:"clusters"`
	Events   []struct {
		At        duration `json:"at"`
		Cluster   string   `json:"cluster"`
		Defer     string   `json:"defer"`
		Return    bool     `json:"return"`
		Join      *member  `json:"join"`
		Interrupt bool     `json:"interrupt"`
	} `json:"events"`
}

type member struct {
	Runs     string   `json:"runs"`
	Done     bool     `json:"done"`
	Leaving  bool     `json:"leaving"`
	Deferred string   `json:"deferred"`
	Takes    duration `json:"takes"`
	Settles  duration `json:"settles"`
	Fails    string   `json:"fails"`
	Never    bool     `json:"never_healthy"`
	Flaps    duration `json:"flaps"`
	Stuck    string   `json:"stuck"`
}

type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	return err
}

func (m member) join(w *world, name string) {
	c := rollout.Cluster{State: rollout.Waiting, Revision: m.Runs, Previous: m.Runs, Leaving: m.Leaving, Message: m.Deferred}
	if m.Deferred != "" {
		c.State = rollout.Deferred
	}
	if m.Done {
		c.State, c.Healthy = rollout.Applied, true
	}
	if m.Takes == 0 {
		m.Takes = duration(10 * time.Second)
	}
	w.progress.Clusters[name] = c
	w.behave[name] = behaviour{takes: time.Duration(m.Takes), settles: time.Duration(m.Settles), fails: m.Fails, never: m.Never, flaps: time.Duration(m.Flaps), stuck: m.Stuck}
}

func (s scenario) strategy(t *testing.T) rollout.Strategy {
	t.Helper()
	count := func(text string) rollout.Count {
		if text == "" {
			return rollout.Count{}
		}
		c, err := rollout.ParseCount(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	out := rollout.Strategy{
		MaxConcurrency: count(s.Strategy.MaxConcurrency), MaxFailures: count(s.Strategy.MaxFailures), OnFailure: rollout.OnFailure(s.Strategy.OnFailure),
		ProgressDeadline: time.Duration(s.Strategy.ProgressDeadline), Through: s.Strategy.Through,
	}
	for _, w := range s.Strategy.Waves {
		out.Waves = append(out.Waves, rollout.Wave{Name: w.Name, Clusters: w.Clusters, MaxConcurrency: count(w.MaxConcurrency), Soak: time.Duration(w.Soak)})
	}
	if err := out.Validate(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGolden runs each scenario of testdata and compares the log of its steps with the .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for i, document := range strings.Split(string(text), "\n---\n") {
				var s scenario
				if err := yaml.UnmarshalStrict([]byte(document), &s); err != nil {
					t.Fatalf("document %d: %v", i, err)
				}
				fmt.Fprintf(&got, "# %s\n%s\n", s.About, s.play(t))
			}
			file := strings.TrimSuffix(input, ".yaml") + ".golden"
			golden.Check(t, file, got.String())
		})
	}
}

// play is the log of the scenario, with the explanation at its end.
func (s scenario) play(t *testing.T) string {
	t.Helper()
	revision := s.Revision
	if revision == "" {
		revision = "9f2c77"
	}
	w := newWorld(s.strategy(t), rollout.Progress{Revision: revision, Clusters: map[string]rollout.Cluster{}}, map[string]behaviour{})
	for name, m := range s.Clusters {
		m.join(w, name)
	}
	for _, e := range s.Events {
		w.events = append(w.events, event{at: time.Duration(e.At), about: fmt.Sprintf("%s defer=%q return=%t join=%t interrupt=%t", e.Cluster, e.Defer, e.Return, e.Join != nil, e.Interrupt),
			happen: func(w *world) {
				w.progress.Interrupted = w.progress.Interrupted || e.Interrupt
				if e.Join != nil {
					e.Join.join(w, e.Cluster)
				}
				if e.Defer != "" || e.Return {
					delete(w.due, e.Cluster)
					w.each([]string{e.Cluster}, func(_ string, c *rollout.Cluster) {
						c.State, c.Message = rollout.Waiting, e.Defer
						if e.Defer != "" {
							c.State = rollout.Deferred
						}
					})
				}
			}})
	}
	step := w.run(fatal(t))
	if text, ok := rollout.Explain(w.progress, step); ok {
		fmt.Fprintf(&w.log, "\nError: %s\n\n%s\n", text.Title, text.Detail)
	}
	return w.log.String()
}
