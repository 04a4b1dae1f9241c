package provider_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

// events reads a progress file: what was said of each cluster, and, under "", of the rest.
func events(t *testing.T, file, name string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(read(t, file)) {
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if e.Time.IsZero() || e.Run == "" {
			t.Errorf("no time or run: %s", line)
		}
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Verb, e.Message))
		switch e.Kind {
		case progress.Step:
			text = strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", e.Phase, e.Done, e.Total, e.Message))
		case progress.End, progress.Summary:
			text += " (" + progress.Counted(e.Counts) + ")"
		case progress.Begin, progress.Note:
		}
		if e.Kind != progress.Summary && e.Set != name {
			t.Errorf("of another set: %s", line)
		}
		out[e.Cluster] = append(out[e.Cluster], text)
	}
	return out
}

// TestAccManifest_progress is what the provider tells of applies in which one cluster fails and one is deferred, and how the subcommand
// watch sums it up.
func TestAccManifest_progress(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	away := s.through("eu-2")
	s.fleet("unreachable = \"defer\"")
	file := s.Path("progress.json")
	report := func(path string) {
		s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "provider \"fleet\" {\n", fmt.Sprintf("provider \"fleet\" {\n  progress = %q\n", path), 1))
	}
	report("progress.json")
	web := "Deployment.apps " + ns + "/web"
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"), deployment("web", 1))
	breakages[2].inject(p)
	s.ApplyFails()
	p.Heal()
	denied := web + ": denied by ValidatingAdmissionPolicy max-replicas: at most one replica here"
	good := []string{"applying 0/0 connecting", "applying 0/2", "applying 1/2", "applying 2/2", "settling 2/2 waiting until all objects are healthy", "done 2/2"}
	want := map[string][]string{
		"":     {"begin apply", "end  failed on us-1 (2 done, 1 failed)", "summary (2 done, 1 failed)"},
		"eu-1": good, "eu-2": good,
		"us-1": {"applying 0/0 connecting", "applying 0/2", "applying 1/2", "failed 0/0 " + denied},
	}
	if diff := cmp.Diff(want, events(t, file, s.name)); diff != "" {
		t.Errorf("the first apply (-want +got)\n%s", diff)
	}
	out, err := exec.Command(fleettest.Provider(t), "watch", "-plain", "-last", file).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], s.name+"  apply  2 done, 1 failed in ") || lines[1] != "  us-1  failed: "+denied {
		t.Errorf("watch printed, with %v:\n%s", err, out)
	}

	t.Log("a plan tells nothing; a cluster that is away is deferred; what is done already is so at once")
	s.Plan()
	if diff := cmp.Diff(want, events(t, file, s.name)); diff != "" {
		t.Errorf("after a plan (-want +got)\n%s", diff)
	}
	s.Apply()
	report("second.json")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "progress = \"progress.json\"", "", 1))
	away.Refuse()
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "w"), deployment("web", 1))
	s.Apply()
	got := events(t, s.Path("second.json"), s.name)
	if diff := cmp.Diff([]string{"applying 0/0 connecting", "applying 1/2", "applying 2/2", "settling 2/2 waiting until all objects are healthy", "done 2/2"}, got["eu-1"]); diff != "" {
		t.Errorf("an update of one object (-want +got)\n%s", diff)
	}
	if steps := got["eu-2"]; len(steps) != 1 || !strings.HasPrefix(steps[0], "deferred 0/0 ") {
		t.Errorf("eu-2 is away: %q", steps)
	}

	t.Log("a file that cannot be written is a warning")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "second.json", "no/such/directory/progress.json", 1))
	away.Listen(t)
	contains(t, s.Apply(), "Warning: Progress is not written", "no/such/directory/progress.json", "Apply complete!")

	t.Log("a destroy tells as well, here as text")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "no/such/directory/progress.json", "destroy.txt", 1))
	s.Destroy()
	text := read(t, s.Path("destroy.txt"))
	for _, sentence := range []string{s.name + "  destroy begins:  all (3)", "eu-1  applying  removing", "eu-1  done", "end:  3 done", "summary:  3 done"} {
		if !strings.Contains(text, sentence) {
			t.Errorf("the text lacks %q:\n%s", sentence, text)
		}
	}
}
