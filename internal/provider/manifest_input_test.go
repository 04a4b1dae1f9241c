package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_badInput gives what people get wrong; each must be refused before anything is written.
func TestAccManifest_badInput(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	inNamespace := fmt.Sprintf("namespace = %q", ns)
	for _, c := range []struct {
		name, arguments string
		manifests       []string
		says            []string
	}{
		{"not YAML", inNamespace, []string{"a: [b\n"}, []string{"manifests[0], document 1, line"}},
		{"duplicate key", inNamespace, []string{configMap("a", "x") + "---\n" + configMap("b", "x") + "kind: Secret\n"}, []string{"manifests[0], document 2, line", "kind"}},
		{"no kind", inNamespace, []string{"apiVersion: v1\nmetadata: {name: x}\n"}, []string{"manifests[0], document 1, line 1", "kind"}},
		{"no apiVersion", inNamespace, []string{"kind: ConfigMap\nmetadata: {name: x}\n"}, []string{"apiVersion"}},
		{"no name", inNamespace, []string{configMap("ok", "x"), "kind: ConfigMap\napiVersion: v1\nmetadata: {}\n"}, []string{"manifests[1], document 1, line", "metadata.name"}},
		{"a boolean for a name", inNamespace, []string{"kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: y\n"}, []string{"line 4", "YAML 1.1", `"y"`}},
		{"generateName", inNamespace, []string{"kind: ConfigMap\napiVersion: v1\nmetadata: {generateName: x-}\n"}, []string{"generateName"}},
		{"twice in one set", inNamespace, []string{configMap("a", "x"), configMap("a", "y")}, []string{"manifests[0], document 1", "manifests[1], document 1"}},
		{"unknown field", inNamespace, []string{strings.Replace(deployment("web", 1), "  replicas:", "  replica: 2\n  replicas:", 1)}, []string{"Deployment.apps " + ns + "/web", "spec.replica"}},
		{"no namespace", "", []string{configMap("a", "x")}, []string{"ConfigMap is namespaced and names no namespace"}},
		{"a namespace too many", "", []string{"kind: ClusterRole\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x, namespace: other}\n"}, []string{"ClusterRole is cluster-scoped", `metadata.namespace is "other"`}},
		{"a kind that nobody serves", inNamespace, []string{"kind: Nope\napiVersion: example.org/v1\nmetadata: {name: x}\n"}, []string{"eu-1, eu-2", "does not serve example.org/v1 Nope"}},
		{"a Secret", inNamespace, []string{"kind: Secret\napiVersion: v1\nmetadata: {name: x}\nstringData: {password: hunter2}\n"}, []string{"A Secret in manifests", "secrets_in_state"}},
		{"wrong type", inNamespace, []string{strings.Replace(deployment("web", 1), "replicas: 1", "replicas: many", 1)}, []string{"Deployment.apps " + ns + "/web", "replicas"}},
		{"invalid value", inNamespace, []string{strings.Replace(deployment("web", 1), "replicas: 1", "replicas: -1", 1)}, []string{"spec.replicas", "must be greater than or equal to 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.set(c.arguments, c.manifests...)
			out := s.PlanFails()
			contains(t, out, c.says...)
			if strings.Contains(out, "hunter2") {
				t.Error("a secret value is in the error")
			}
		})
	}
	t.Run("a bad set name", func(t *testing.T) {
		name := s.name
		s.name = "Not_A_Label"
		s.set(inNamespace, configMap("a", "x"))
		s.name = name
		contains(t, s.PlanFails(), "must be a DNS label of at most 50 characters")
	})
	t.Run("a key that is not the name", func(t *testing.T) {
		s.set(inNamespace+"\nclusters = { other = fleet_cluster.this[\"eu-1\"] }", configMap("a", "x"))
		contains(t, s.PlanFails(), "The key of a cluster is not its name")
	})
	t.Run("no clusters", func(t *testing.T) {
		s.set(inNamespace+"\nclusters = {}", configMap("a", "x"))
		contains(t, s.Plan(), "No clusters", "the set is nowhere")
	})
	t.Run("no manifests", func(t *testing.T) {
		s.set(inNamespace)
		contains(t, s.Plan(), "No objects")
		s.Apply()
		s.PlanEmpty()
		s.Must("destroy", "-auto-approve", "-target=fleet_manifest.set")
	})
	t.Run("a namespace that nobody creates", func(t *testing.T) {
		s.set("namespace = \"not-there\"", configMap("a", "x"))
		contains(t, s.Plan(), "the namespace not-there does not exist, and nothing in this run is known to create it", "(known after apply)")
	})
	if got := uids(t, configmaps, ns, "a"); len(got) > 0 {
		t.Errorf("a refused set was written to %v", got)
	}
}

// TestAccManifest_definitionElsewhere has one set create a namespace and a kind, and another use both, from nothing.
func TestAccManifest_definitionElsewhere(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Name(t)
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	s.fleet("")
	s.Write("base.yaml", fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n%s", ns, definition(group)))
	s.Write("base.tf", fmt.Sprintf("resource \"fleet_manifest\" \"base\" {\n  name = \"%s-b\"\n  clusters = fleet_cluster.this\n  manifests = [file(\"base.yaml\")]\n}\n", s.name))
	s.set(fmt.Sprintf("namespace = %q\ndepends_on = [fleet_manifest.base]", ns),
		fmt.Sprintf("apiVersion: %s/v1\nkind: Shop\nmetadata: {name: first}\nspec: {size: 3}\n", group), configMap("a", "x"))
	out := s.Apply()
	if strings.Contains(out, "does not exist") {
		t.Errorf("a namespace that this run creates is said to be missing:\n%s", out)
	}
	s.PlanEmpty()
	s.Destroy()
	if got := uids(t, namespaces, "", ns); len(got) > 0 {
		t.Errorf("the namespace is still on %v", got)
	}
}
