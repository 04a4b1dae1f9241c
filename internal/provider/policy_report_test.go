package provider_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccPolicyReport finds what violates a policy that is not there yet, on the clusters that answer.
func TestAccPolicyReport(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	for cluster, data := range map[string]string{"eu-1": `{"k":"long enough"}`, "eu-2": `{"k":"short"}`, "us-1": `{"k":"long enough"}`} {
		put(t, cluster, configmaps, ns, fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","namespace":%q},"data":%s}`, ns, data))
	}
	for _, name := range []string{"one", "two", "three"} {
		put(t, "eu-1", secrets, ns, fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q,"namespace":%q},"stringData":{"k":"hunter2"}}`, name, ns))
	}
	s.Write("policy.tf", fmt.Sprintf(`
resource "fleet_policy" "short" {
  name     = %q
  clusters = {}
  match = {
    rules              = [{ groups = [""], resources = ["configmaps", "secrets"] }]
    exclude            = [{ groups = [""], resources = ["configmaps"], names = ["kube-root-ca.crt"] }]
    namespace_selector = { match_labels = { "kubernetes.io/metadata.name" = %q } }
  }
  validations = [{
    expression         = "object.data.all(k, size(string(object.data[k])) < 6)"
    message            = "data is too long"
    message_expression = "object.data.map(k, string(object.data[k])).join(', ') + ' is too long'"
  }]
}
data "fleet_policy_report" "short" {
  definition = fleet_policy.short.definition
  clusters   = fleet_cluster.this
  limit      = 2
}
output "violations" { value = data.fleet_policy_report.short.violations }
output "incomplete" { value = data.fleet_policy_report.short.incomplete }
`, s.name, ns))
	s.Apply()
	conf := map[string]any{"ConfigMap " + ns + "/conf": []any{"long enough is too long"}}
	got, want := s.outputs()
	if diff := cmp.Diff(map[string]any{"eu-2": map[string]any{}, "us-1": conf}, except(got, "eu-1")); diff != "" {
		t.Errorf("violations: -want +got:\n%s", diff)
	}
	eu1, _ := got["eu-1"].(map[string]any)
	if diff := cmp.Diff(map[string]any{"eu-1": "2 more objects violate the policy"}, want); diff != "" || len(eu1) != 2 || eu1["ConfigMap "+ns+"/conf"] == nil {
		t.Errorf("eu-1 has %v; incomplete: %s", eu1, diff)
	}
	for object, messages := range eu1 {
		if object != "ConfigMap "+ns+"/conf" && !cmp.Equal(messages, []any{"data is too long"}) {
			t.Errorf("%s: %v", object, messages)
		}
	}

	t.Log("a dead cluster is a warning")
	p.Refuse()
	contains(t, s.Apply(), "1 cluster could not be judged", "us-1: cluster \"us-1\" does not answer")
	got, want = s.outputs()
	if got["us-1"] != nil || want["us-1"] == nil || got["eu-2"] == nil {
		t.Errorf("violations %v, incomplete %v", got, want)
	}
	p.Listen(t)
	s.Destroy()
}

// outputs are the outputs of the report.
func (s *setup) outputs() (violations, incomplete map[string]any) {
	s.t.Helper()
	values := s.State().Values.Outputs
	violations, _ = values["violations"].Value.(map[string]any)
	incomplete, _ = values["incomplete"].Value.(map[string]any)
	return violations, incomplete
}

func except(m map[string]any, key string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}
