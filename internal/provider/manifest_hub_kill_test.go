package provider_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// hubKills is how many runs on a hub are killed.
const hubKills = 9

// TestAccHub_killed kills Terraform and the provider at random writes to the hub, and applies again.
func TestAccHub_killed(t *testing.T) {
	random := rand.New(rand.NewPCG(seed, seed))
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	proxies := map[string]*fleettest.Proxy{"hub": s.proxy}
	killed := 0
	for i := range hubKills {
		s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns), configMap("same", "x"), configMap("stays", fmt.Sprint(i)), configMap(fmt.Sprintf("g%d", i%2), "x"))
		command := "apply"
		if i%3 == 2 {
			command = "destroy"
		}
		if s.killAfter(proxies, random.IntN(7), command) {
			killed++
		}
		before := uids(t, configmaps, ns, "same")
		s.Apply()
		s.PlanEmpty()
		after := uids(t, configmaps, ns, "same")
		if before["us-1"] != "" && before["us-1"] != after["us-1"] && command == "apply" {
			t.Fatalf("%d: an object was created anew", i)
		}
		if got := dig(live(t, "us-1", configmaps, ns, "stays").Object, "data", "k"); got != fmt.Sprint(i) {
			t.Fatalf("%d: stays has %v", i, got)
		}
		fleettest.Eventually(t, "what is no longer wanted is gone", func() bool { return live(t, "us-1", configmaps, ns, fmt.Sprintf("g%d", 1-i%2)) == nil })
		if works := s.hub.Works(t, s.managed); len(works) != 1 || len(works[0].Spec.Workload.Manifests) != 3 {
			t.Fatalf("%d: the works are %v", i, works)
		}
	}
	t.Logf("%d of %d runs were killed in the middle", killed, hubKills)
	if killed < hubKills/2 {
		t.Errorf("only %d runs were killed before they had ended", killed)
	}
	s.Destroy()
}

// TestAccHub_permissions has rights in the namespace of the cluster, and to list the clusters, and no others.
func TestAccHub_permissions(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	token := s.hub.Account(t, ns,
		fleettest.Grant{Rules: []rbacv1.PolicyRule{{APIGroups: []string{"cluster.open-cluster-management.io"}, Resources: []string{"managedclusters"}, Verbs: []string{"list"}}}},
		fleettest.Grant{Namespace: s.managed, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"work.open-cluster-management.io"}, Resources: []string{"manifestworks"}, Verbs: []string{"get", "list", "create", "update", "delete"}},
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "create", "patch", "delete"}},
		}})
	s.Write("hub.kubeconfig", fleettest.KubeconfigText("hub", s.hub.Host, s.hub.CA(t), map[string]string{"token": token}))
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns), configMap("conf", "1"))
	s.Apply()
	s.PlanEmpty()
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns), configMap("conf", "2"))
	s.Apply()
	s.Destroy()

	t.Log("without them, the plan says what is missing")
	token = s.hub.Account(t, ns, fleettest.Grant{Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"cluster.open-cluster-management.io"}, Resources: []string{"managedclusters"}, Verbs: []string{"list"}},
		{APIGroups: []string{"work.open-cluster-management.io"}, Resources: []string{"manifestworks"}, Verbs: []string{"list"}},
	}})
	s.Write("hub.kubeconfig", fleettest.KubeconfigText("hub", s.hub.Host, s.hub.CA(t), map[string]string{"token": token}))
	out := s.ApplyFails()
	contains(t, out, "edge", `cannot get resource "secrets" in API group "" in the namespace "`+s.managed)
}
