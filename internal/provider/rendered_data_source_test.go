package provider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccRendered shows what clusters would get that nobody has, without a provider block.
func TestAccRendered(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w := fleettest.NewWorkspace(t, cli)
		config := `data "fleet_rendered" "web" {
  clusters = {
    a = { labels = { size = "large" }, properties = { replicas = "5" } }
    b = { labels = { size = "small" }, properties = { replicas = "1" } }
  }
  namespace        = "web"
  secrets_in_state = true
  template         = true
  variants = [{ clusters = { names = ["c"] }, manifests = [] }]
  manifests = [<<-EOT
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: "{{ int .cluster.properties.replicas }}"}}
    ---
    {apiVersion: v1, kind: Namespace, metadata: {name: web}}
    ---
    {apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {password: very-hidden}}
  EOT
  ]
  overrides = [{ clusters = { match_labels = { size = "small" } }, target = { kind = "Secret" }, exclude = true }]
}
output "objects" { value = data.fleet_rendered.web.objects }
output "excluded" { value = data.fleet_rendered.web.excluded }
`
		w.Write("main.tf", config)
		w.Apply()
		web := func(replicas string) string {
			return "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: web\nspec:\n  replicas: " + replicas + "\n"
		}
		const namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: web\n"
		want := map[string]any{
			"a": map[string]any{"Deployment.apps web/web": web("5"), "Namespace web": namespace,
				"Secret web/db": "apiVersion: v1\ndata:\n  password: (sensitive)\nkind: Secret\nmetadata:\n  name: db\n  namespace: web\n"},
			"b": map[string]any{"Deployment.apps web/web": web("1"), "Namespace web": namespace},
		}
		outputs := w.State().Values.Outputs
		if diff := cmp.Diff(any(want), outputs["objects"].Value); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(any(map[string]any{"b": []any{"Secret web/db"}}), outputs["excluded"].Value); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}

		t.Log("the mistakes of a fleet_manifest are mistakes here")
		for change, message := range map[string]string{
			`properties = { replicas = "1" }`: `Invalid manifest for cluster "b"`,
			`secrets_in_state = true`:         "A Secret in manifests",
			`kind = "Secret" }`:               "the rule is for no object",
		} {
			broken := strings.NewReplacer(change, strings.NewReplacer("replicas", "other", "true", "false", "Secret", "Sekret").Replace(change)).Replace(config)
			w.Write("main.tf", broken)
			contains(t, w.PlanFails(), message)
		}
	})
}
