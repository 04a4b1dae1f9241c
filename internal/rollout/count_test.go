package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

func TestCount(t *testing.T) {
	for _, test := range []struct {
		text  string
		total int
		want  int
	}{
		{"0", 5, 0}, {"3", 5, 3}, {"9", 5, 5}, {"0%", 5, 0}, {"25%", 3, 0}, {"25%", 4, 1}, {"34%", 5, 1}, {"99%", 100, 99}, {"99%", 99, 98}, {"100%", 7, 7}, {"50%", 0, 0},
	} {
		c, err := rollout.ParseCount(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		if got := c.Of(test.total); got != test.want {
			t.Errorf("%s of %d is %d, want %d", test.text, test.total, got, test.want)
		}
		if c.String() != test.text {
			t.Errorf("%s prints as %s", test.text, c)
		}
	}
}

func TestCountRefuses(t *testing.T) {
	for _, text := range []string{"", "%", "-1", "+1", "1.5", "12.5%", "101%", "five", " 3", "3 ", "5 %", "03", "1e2", "99999999999999999999"} {
		if c, err := rollout.ParseCount(text); err == nil {
			t.Errorf("%q is taken for %v", text, c)
		} else if !strings.Contains(err.Error(), "%") {
			t.Errorf("%q: the error does not say what to write: %v", text, err)
		}
	}
	for _, text := range []string{"0", "0%"} {
		if _, err := rollout.ParseConcurrency(text); err == nil {
			t.Errorf("a concurrency of %s is taken", text)
		}
	}
}

func TestCountNeverExceedsTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rollout.Count{Value: rapid.IntRange(0, 100).Draw(t, "value"), Percent: rapid.Bool().Draw(t, "percent")}
		total := rapid.IntRange(0, 5000).Draw(t, "total")
		if got := c.Of(total); got < 0 || got > total || c.Of(total+1) < got {
			t.Errorf("%s of %d is %d", c, total, got)
		}
	})
}

func TestValidate(t *testing.T) {
	s := rollout.Strategy{
		Waves:          []rollout.Wave{{Name: "canary"}, {Name: "canary"}, {}, {Name: "rest", Soak: -time.Second, MaxConcurrency: rollout.Count{Percent: true}}},
		MaxConcurrency: rollout.Count{Percent: true}, OnFailure: "retry", Through: "canry", ProgressDeadline: -1,
	}
	want := `waves[1]: there is a wave "canary" already; each needs a name of its own
waves[2] has no name
waves[3]: the name "rest" is taken, by the clusters that are in no wave
waves[3].soak is -1s; it cannot be negative
waves[3].max_concurrency is 0%: no cluster would ever start; want 1 or more
through is "canry", and there is no such wave; there are "canary", "canary", "", "rest", "rest". Did you mean "canary"?
on_failure is "retry"; want "halt", "rollback" or "continue"
max_concurrency is 0%: no cluster would ever start; want 1 or more
progress_deadline is -1ns; it cannot be negative`
	if diff := cmp.Diff(want, s.Validate().Error()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := rollout.Unstaged().Validate(); err != nil {
		t.Error(err)
	}
}

func TestAssign(t *testing.T) {
	waves := []rollout.Wave{{Name: "canary", Clusters: []string{"a"}}, {Name: "eu", Clusters: []string{"b", "c", "d", "new-eu"}}, {Name: "us", Clusters: []string{"new-us"}}}
	p := rollout.Progress{Revision: "r3", Clusters: map[string]rollout.Cluster{
		"a": {Revision: "r2"}, "b": {Revision: "r1"}, "c": {Revision: "r2"}, "d": {Revision: "r2"}, "new-eu": {}, "new-us": {}, "x": {Revision: "r1", Leaving: true},
	}}
	for _, test := range []struct {
		about, through string
		want           map[string]string
	}{
		{"all of them", "", map[string]string{"a": "r3", "b": "r3", "c": "r3", "d": "r3", "new-eu": "r3", "new-us": "r3"}},
		{"new ones get what runs there", "canary", map[string]string{"a": "r3", "b": "r1", "c": "r2", "d": "r2", "new-eu": "r2", "new-us": "r2"}},
	} {
		got := rollout.Assign(rollout.Strategy{Waves: waves, Through: test.through}, p)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.about, diff)
		}
	}
	first := rollout.Progress{Revision: "r1", Clusters: map[string]rollout.Cluster{"a": {}, "b": {}}}
	if got := rollout.Assign(rollout.Strategy{Waves: waves, Through: "canary"}, first); got["a"] != "r1" || got["b"] != "" {
		t.Errorf("a first rollout through the canary assigns %v", got)
	}
}
