package provider_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// documented are the roles of a file below examples/permissions, by name, with one namespace put for another.
func documented(t *testing.T, file, from, to string) map[string][]rbacv1.PolicyRule {
	t.Helper()
	roles := map[string][]rbacv1.PolicyRule{}
	for text := range strings.SplitSeq(strings.ReplaceAll(read(t, filepath.Join("..", "..", "examples", "permissions", file)), from, to), "\n---\n") {
		var role rbacv1.ClusterRole
		if err := yaml.UnmarshalStrict([]byte(text), &role); err != nil {
			t.Fatal(err)
		}
		roles[role.Name] = role.Rules
	}
	return roles
}

// tenant makes the configuration one of a team that keeps to its namespaces, with no right but the documented roles.
func (s *setup) tenant(owner, inventory string, namespaces ...string) map[string]*fleettest.Proxy {
	s.t.Helper()
	proxies := map[string]*fleettest.Proxy{}
	for _, c := range fleettest.Clusters(s.t) {
		roles := documented(s.t, "namespaced.yaml", "team-a", inventory)
		grants := []fleettest.Grant{{Namespace: inventory, Rules: roles["fleet-inventory"]}}
		for _, ns := range namespaces {
			grants = append(grants, fleettest.Grant{Namespace: ns, Rules: roles["fleet-sets"]})
		}
		p := fleettest.NewProxy(s.t, c)
		proxies[c.Name] = p
		s.kubeconfigs[c.Name] = p.TokenKubeconfig(s.t, c.Account(s.t, inventory, grants...))
	}
	s.inventory(owner, fmt.Sprintf("{ namespace = %q, scope = \"namespaced\" }", inventory))
	return proxies
}

// inventory writes the provider block with an owner and an inventory.
func (s *setup) inventory(owner, inventory string) {
	s.t.Helper()
	s.own(owner)
	s.Write("fleet.tf", strings.Replace(read(s.t, s.Path("fleet.tf")), "provider \"fleet\" {", "provider \"fleet\" {\n  inventory = "+inventory, 1))
}

// noWarnings wants none but Terraform's own about the provider under test.
func noWarnings(t *testing.T, output string) {
	t.Helper()
	if n := strings.Count(output, "Warning: ") - strings.Count(output, "Warning: Provider development overrides"); n > 0 {
		t.Errorf("there are %d warnings:\n%s", n, output)
	}
}

// inNamespaces are the requests that ask for nothing beyond namespaces: what is in one, or itself; the version, what is served, and
// what one is allowed to.
var inNamespaces = regexp.MustCompile(`^(/version|/apis?|/apis/authorization\.k8s\.io/v1/selfsubjectaccessreviews|(/api/v1|/apis/[^/]+/[^/]+)/namespaces/[^/]+.*)$`)

// TestAccManifest_namespaced works with two Roles and no right beyond: on sets, on fleet_cluster and when a cluster leaves.
func TestAccManifest_namespaced(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns, second, inventory := fleettest.Namespace(t), fleettest.Namespace(t), fleettest.Namespace(t)
	proxies := s.tenant("team-a", inventory, ns, second)
	arguments := fmt.Sprintf("namespace = %q", ns)
	inSecond := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: %s}\n", second)
	s.set(arguments, configMap("conf", "v"), deployment("web", 1), inSecond)
	noWarnings(t, s.Apply())
	for _, p := range proxies {
		p.Forget()
	}
	s.PlanEmpty()
	for name, p := range proxies {
		// Version, uid and parent, and two kinds in two namespaces.
		if n := len(p.Requests()); n != 3+2*2 {
			t.Errorf("%s: a plan without changes took %d requests:\n%s", name, n, requests(p))
		}
	}

	t.Log("update, drift and prune")
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":7}}`)
	contains(t, s.Apply(), "spec.replicas is 7, should be 1")
	s.PlanEmpty()
	if left := uids(t, configmaps, second, "other"); len(left) > 0 {
		t.Errorf("other is left over on %v", left)
	}

	t.Log("what cannot be in such a set")
	s.set(arguments, configMap("conf", "w"), deployment("web", 1), "apiVersion: v1\nkind: Namespace\nmetadata: {name: more}\n")
	contains(t, s.PlanFails(), "Namespace more:", "Namespace is cluster-scoped, and the set's inventory has the scope \"namespaced\"")

	t.Log("a cluster leaves the fleet")
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), `, "us-1"])`, "])", 1))
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "conf"); len(got) != 2 || got["us-1"] != "" {
		t.Errorf("conf is on %v", got)
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
	if left := uids(t, secrets, inventory, "fleet-"+s.name); len(left) > 0 {
		t.Errorf("the inventory is left behind on %v", left)
	}
	for name, p := range proxies {
		for _, r := range p.Requests() {
			if !inNamespaces.MatchString(r.Path) {
				t.Errorf("%s: asked beyond namespaces: %s %s", name, r.Method, r.Path)
			}
		}
	}
}

// TestAccManifest_namespacedMissing keeps the inventory in a namespace that nobody has created.
func TestAccManifest_namespacedMissing(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns, missing := fleettest.Namespace(t), fleettest.Name(t)
	s.inventory("team-a", fmt.Sprintf("{ namespace = %q, scope = \"namespaced\" }", missing))
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	contains(t, s.ApplyFails(), "cannot be told from others", "there is no namespace \""+missing+"\"")

	t.Log("of the set alone: clusters are identified as the provider says")
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q\ninventory = { namespace = %q, scope = \"namespaced\" }", ns, missing), configMap("conf", "v"))
	contains(t, s.ApplyFails(), "the namespace of the inventory does not exist: create "+missing)
	if live(t, "eu-1", namespaces, "", missing) != nil {
		t.Error("the namespace was created")
	}
}

// TestAccManifest_tenants has two configurations with the same set's name on the same clusters, each with an owner and an
// inventory of its own. Neither sees the other.
func TestAccManifest_tenants(t *testing.T) {
	a, b := newSetup(t, fleettest.Terraform(t)), newSetup(t, fleettest.Terraform(t))
	b.name = a.name
	nsA, nsB := fleettest.Namespace(t), fleettest.Namespace(t)
	a.inventory("team-a", fmt.Sprintf("{ namespace = %q }", nsA))
	b.tenant("team-b", nsB, nsB)
	a.set(fmt.Sprintf("namespace = %q", nsA), configMap("conf", "a"))
	b.set(fmt.Sprintf("namespace = %q", nsB), configMap("conf", "b"))
	a.Apply()
	b.Apply()
	a.PlanEmpty()
	b.PlanEmpty()
	a.set(fmt.Sprintf("namespace = %q", nsA), configMap("conf2", "a"))
	a.Apply()
	b.PlanEmpty()
	a.Destroy()
	b.PlanEmpty()
	if got := uids(t, configmaps, nsB, "conf"); len(got) != 3 {
		t.Errorf("conf of the other is on %v", got)
	}
	b.Destroy()
	if left := uids(t, configmaps, nsB, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}
