package provider_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAccGuide_edge makes the outputs of the guide "Edge and unreachable clusters".
func TestAccGuide_edge(t *testing.T) {
	g := newGuide(t, "edge", "edge-shop", "edge-shop")
	p := g.through("us-1")
	// How a cluster is reached again before anything else is changed.
	back := func() {
		t.Helper()
		p.Listen(t)
		g.Apply()
	}
	site := func(arguments string) { g.fleet("unreachable = \"" + arguments) }
	site("error\"")
	g.set("", configMap("settings", "v1"), configMap("banner", "red"))
	g.Apply()

	t.Log("it does not answer")
	p.Refuse()
	g.set("", configMap("settings", "v2"))
	g.show("plan-error", same(g.Plan()))
	g.show("apply-error", same(message(g.ApplyFails())))
	back()

	t.Log("under defer")
	site("defer\"")
	g.Apply()
	p.Refuse()
	g.set("", configMap("settings", "v3"))
	out := g.Apply()
	contains(t, out, "on eu-1, eu-2", "Apply complete!")
	g.show("apply-defer", same(out))
	g.show("still-away", same(g.PlanEmpty()))
	p.Listen(t)
	out = g.Plan()
	contains(t, out, "update ConfigMap edge-shop/settings on us-1: data.k v2 → v3")
	g.show("returned", same(out))
	g.Apply()

	t.Log("a wave of which nobody answers")
	p.Refuse()
	g.set("  rollout = { waves = [{ name = \"canary\", clusters = { names = [\"us-1\"] } }] }\n", configMap("settings", "v4"))
	out = g.Plan()
	g.show("passed-over", same(out[strings.Index(out, "\nWarning: About the waves")+1:]))
	g.set("", configMap("settings", "v3"))
	back()

	t.Log("maintenance, and the end")
	site("defer\"\n  mode = each.key == \"us-1\" ? \"maintenance\" : \"active\"")
	g.set("", configMap("settings", "v4"))
	out = g.Plan()
	contains(t, out, "on eu-1, eu-2")
	g.show("maintenance", same(out))
	site("defer\"\n  mode = each.key == \"us-1\" ? \"decommissioned\" : \"active\"")
	g.set("", configMap("settings", "v3"))
	out = g.Plan()
	contains(t, out, "forget ConfigMap edge-shop/settings on us-1")
	g.show("decommissioned", same(out))
	site("defer\"")

	t.Log("another cluster in its place")
	mine := g.kubeconfigs["us-1"]
	g.kubeconfigs["us-1"] = g.kubeconfigs["eu-2"]
	site("defer\"")
	out = g.Plan()
	contains(t, out, "Another cluster answers as \"us-1\"")
	g.show("another", same(out[strings.Index(out, "\nWarning: Another cluster")+1:]))
	g.kubeconfigs["us-1"] = mine
	site("error\"")
	g.Apply()

	t.Log("it left, and what is there is still owed")
	g.without("us-1")
	g.Apply("-target=fleet_cluster.this")
	p.Refuse()
	g.show("owed", same(message(g.ApplyFails())))
	g.set(fmt.Sprintf("  abandon = [%q]\n", "us-1"), configMap("settings", "v3"))
	out = g.Plan()
	contains(t, out, "forget ConfigMap edge-shop/settings on us-1")
	g.show("abandon", same(out))
	g.Apply()
	p.Listen(t)
	g.Destroy()
	remove(t, "us-1", secrets, "fleet-system", "fleet-edge-shop")
}
