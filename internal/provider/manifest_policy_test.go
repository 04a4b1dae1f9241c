package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_badPolicies says at validate what is wrong with policies, and where.
func TestAccManifest_badPolicies(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.only("eu-1")
	tests := map[string]struct {
		arguments string
		says      []string
	}{
		"a path that does not parse": {`ignore_fields = [{ paths = ["spec..replicas"] }]`,
			[]string{"Invalid field path", `field path "spec..replicas", at character 6`}},
		"a field that the kind does not have": {`ignore_fields = [{ target = { kind = "Deployment" }, paths = ["spec.replica"] }]`,
			[]string{"Unknown field path", "Deployment.spec has no field replica; did you mean replicas?"}},
		"an item of a list that is owned as a whole": {`ignore_fields = [{ target = { kind = "Deployment" }, paths = ["spec.template.spec.containers[name=web].args[0]"] }]`,
			[]string{"args is a list that is owned only as a whole; name the list itself"}},
		"a key that the items do not have": {`rules = [{ paths = ["spec.template.spec.containers[image=web]"], drift = "report" }]`,
			[]string{"items of Deployment.spec.template.spec.containers are known by name, not by image"}},
		"a target that matches nothing":  {`ignore_fields = [{ target = { kind = "StatefulSet" }, paths = ["spec.replicas"] }]`, nil},
		"a rule that says nothing":       {`rules = [{ target = { kind = "Deployment" } }]`, []string{"A rule that says nothing"}},
		"paths for a word about objects": {`rules = [{ paths = ["spec.replicas"], deletion = "orphan" }]`, []string{"Contradictory policies", "rules[0] has paths"}},
		"ignored, and with a policy": {`ignore_fields = [{ paths = ["spec.replicas"] }]
  rules = [{ paths = ["spec.replicas"], conflicts = "force" }]`, []string{"Contradictory policies", "spec.replicas is in ignore_fields"}},
		"nothing is adopted":  {"existing = \"error\"\n  on_adopted = \"delete\"", []string{"Contradictory policies", "adopts nothing"}},
		"nothing is deleted":  {"deletion = \"orphan\"\n  propagation = \"Orphan\"", []string{"Contradictory policies", "deletes nothing"}},
		"a word nobody knows": {`conflicts = "fight"`, []string{`value must be one of: ["error" "force" "yield"]`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.set("namespace = \"default\"\n  "+test.arguments, deployment("web", 1))
			if test.says == nil {
				out := s.Must("validate", "-no-color")
				contains(t, out, "A target that matches no object", "ignore_fields[0].target")
				return
			}
			out := s.MustFail("validate", "-no-color")
			contains(t, out, test.says...)
			if !strings.Contains(out, "set.tf line") {
				t.Errorf("the error does not say where:\n%s", out)
			}
		})
	}
}

// TestAccManifest_rulesByCluster lets the first rule that says a word decide it, cluster by cluster.
func TestAccManifest_rulesByCluster(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf(`namespace = %q
  rules = [
    { clusters = { match_labels = { region = "us" } }, drift = "report" },
    { target = { name = "watched" }, drift = "report" },
    { target = { name = "watched" }, drift = "correct" },
  ]`, ns), configMap("watched", "v"), configMap("kept", "v"))
	s.Apply()
	for _, c := range fleettest.Clusters(t) {
		for _, name := range []string{"watched", "kept"} {
			patch(t, c.Name, configmaps, ns, name, `{"data":{"k":"drifted"}}`)
		}
	}
	out := s.Apply()
	contains(t, out, "Drift on 2 of 3 clusters", "eu-1, eu-2 ConfigMap "+ns+"/kept", "Drift on 3 of 3 clusters, only reported")
	for _, c := range fleettest.Clusters(t) {
		if got := value(t, c.Name, configmaps, ns, "watched", "data", "k"); got != "drifted" {
			t.Errorf("watched on %s is %v", c.Name, got)
		}
		want := map[bool]string{true: "drifted", false: "v"}[c.Name == "us-1"]
		if got := value(t, c.Name, configmaps, ns, "kept", "data", "k"); got != want {
			t.Errorf("kept on %s is %v, want %s", c.Name, got, want)
		}
	}
	s.PlanEmpty()
	s.Destroy()
}
