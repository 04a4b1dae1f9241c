package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// says fails the test unless an output contains the texts, whatever the line breaks.
func says(t *testing.T, output string, texts ...string) {
	t.Helper()
	flat := fleettest.Flat(output)
	for _, text := range texts {
		if !strings.Contains(flat, text) {
			t.Errorf("the output does not say %q:\n%s", text, output)
		}
	}
}

// saysNot fails the test if an output contains one of the texts.
func saysNot(t *testing.T, output string, texts ...string) {
	t.Helper()
	flat := fleettest.Flat(output)
	for _, text := range texts {
		if strings.Contains(flat, text) {
			t.Errorf("the output says %q:\n%s", text, output)
		}
	}
}

// attributes picks some attributes of a resource.
func attributes(all map[string]any, names ...string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		picked[name] = all[name]
	}
	return picked
}

// withKubeconfigs is a workspace whose provider gets the given files as kubeconfigs, by the cluster's name.
func withKubeconfigs(t *testing.T, files map[string]string) *fleettest.Workspace {
	t.Helper()
	w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
	var entries strings.Builder
	for name, text := range files {
		w.Write(name+".kubeconfig", text)
		fmt.Fprintf(&entries, "    %q = file(%q)\n", name, name+".kubeconfig")
	}
	w.Write("provider.tf", "provider \"fleet\" {\n  kubeconfigs = {\n"+entries.String()+"  }\n}\n")
	return w
}

func TestAccCluster_lifecycle(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w := fleettest.NewWorkspace(t, cli)
		config := func(labels string) {
			w.Write("main.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%q]
}
resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }
  name     = each.key
  labels   = { region = each.value%s }
  taints   = [{ key = "edge", effect = "NoSelect" }]
}
`, fleettest.Kubeconfig(t), labels))
		}
		config("")
		plan := w.Plan()
		says(t, plan, "3 to add", `access = jsonencode(`, `context = "eu-1"`)
		w.Apply()
		w.PlanEmpty()
		for _, c := range fleettest.Clusters(t) {
			got := attributes(w.Resource(fmt.Sprintf("fleet_cluster.this[%q]", c.Name)),
				"uid", "access", "kubernetes_version", "minor", "platform", "reachable", "facts", "mode", "unreachable", "on_removal")
			want := map[string]any{
				"uid": c.UID(t), "access": fmt.Sprintf(`{"kubeconfig_path":%q,"context":%q}`, fleettest.Kubeconfig(t), c.Name),
				"kubernetes_version": c.Version, "minor": c.Minor, "platform": "linux/amd64", "reachable": true, "facts": nil,
				"mode": "active", "unreachable": "error", "on_removal": "drain",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.Name, diff)
			}
		}

		config(`, tier = "prod"`)
		plan = w.Plan()
		says(t, plan, "3 to change", `+ "tier" = "prod"`)
		saysNot(t, plan, "known after apply")
		w.Apply()
		w.PlanEmpty()
		w.Destroy()
	})
}

func TestAccCluster_import(t *testing.T) {
	w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
	config := func(name string) {
		w.Write("main.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%q]
}
resource "fleet_cluster" "this" {
  for_each = toset([%q])
  name     = each.key
}
`, fleettest.Kubeconfig(t), name))
	}
	config("eu-9")
	says(t, w.MustFail("import", "-no-color", `fleet_cluster.this["eu-9"]`, "eu-9"), `No connection for cluster "eu-9"`)
	config("eu-1")
	w.Must("import", "-no-color", `fleet_cluster.this["eu-1"]`, "eu-1")
	w.PlanEmpty()
}

func TestAccCluster_discover(t *testing.T) {
	c := fleettest.Get(t, "eu-1")
	w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
	config := func(discover string) {
		w.Write("main.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%q]
}
resource "fleet_cluster" "eu-1" {
  name     = "eu-1"
  discover = %s
}
`, fleettest.Kubeconfig(t), discover))
	}
	facts := func() map[string]any {
		found, _ := w.Resource("fleet_cluster.eu-1")["facts"].(map[string]any)
		return found
	}
	config(`["nodes", "apis", "capacity"]`)
	w.Apply()
	w.PlanEmpty()
	all := facts()
	if fmt.Sprint(all["nodes"]) == "0" || fmt.Sprint(all["regions"]) != "["+c.Region+"]" {
		t.Errorf("nodes %v, regions %v", all["nodes"], all["regions"])
	}
	if allocatable, _ := all["allocatable"].(map[string]any); allocatable["cpu"] == nil {
		t.Errorf("allocatable %v", all["allocatable"])
	}
	if apis := fmt.Sprint(all["apis"]); !strings.Contains(apis, "apps/v1/Deployment") || !strings.Contains(apis, "v1/ConfigMap") {
		t.Errorf("apis %s", apis)
	}
	config(`["nodes"]`)
	says(t, w.Plan(), "facts = {", "(known after apply)")
	w.Apply()
	w.PlanEmpty()
	if got := facts(); got["nodes"] == nil || got["apis"] != nil || got["allocatable"] != nil {
		t.Errorf("facts %v", got)
	}
	config(`[]`)
	w.Apply()
	w.PlanEmpty()
	if got := facts(); got != nil {
		t.Errorf("facts %v", got)
	}
}

func TestAccCluster_unreachable(t *testing.T) {
	c := fleettest.Get(t, "eu-1")
	proxy := fleettest.NewProxy(t, c)
	w := withKubeconfigs(t, map[string]string{"x": proxy.Kubeconfig(t)})
	config := func(more string) {
		w.Write("main.tf", "resource \"fleet_cluster\" \"x\" {\n  name = \"x\"\n"+more+"}\n")
	}
	state := func() map[string]any {
		return attributes(w.Resource("fleet_cluster.x"), "uid", "minor", "reachable")
	}
	known := map[string]any{"uid": c.UID(t), "minor": c.Minor, "reachable": true}

	config("")
	proxy.Refuse()
	says(t, w.Apply(), `Warning: Cluster "x" does not answer`, "Connection refused", "registered all the same")
	if diff := cmp.Diff(map[string]any{"uid": nil, "minor": nil, "reachable": false}, state()); diff != "" {
		t.Errorf("registered offline (-want +got)\n%s", diff)
	}
	w.PlanEmpty()

	proxy.Listen(t)
	w.Apply()
	if diff := cmp.Diff(known, state()); diff != "" {
		t.Errorf("once it answers (-want +got)\n%s", diff)
	}

	proxy.Refuse()
	config("  labels = { a = \"b\" }\n")
	says(t, w.Apply(), `Warning: Cluster "x" does not answer`, "What is known of the cluster is kept")
	known["reachable"] = false
	if diff := cmp.Diff(known, state()); diff != "" {
		t.Errorf("while it does not answer (-want +got)\n%s", diff)
	}
}

func TestAccCluster_anotherUID(t *testing.T) {
	first, second := fleettest.Get(t, "eu-1"), fleettest.Get(t, "eu-2")
	w := withKubeconfigs(t, map[string]string{"x": first.Kubeconfig(t)})
	w.Write("main.tf", `
resource "fleet_cluster" "this" {
  for_each = toset(["x"])
  name     = each.key
}
`)
	w.Apply()
	w.Write("x.kubeconfig", second.Kubeconfig(t))
	output := w.Apply()
	says(t, output, `Another cluster answers as "x"`, first.UID(t), second.UID(t), `terraform apply -replace='fleet_cluster.this["x"]'`)
	got := attributes(w.Resource(`fleet_cluster.this["x"]`), "uid", "reachable")
	if diff := cmp.Diff(map[string]any{"uid": first.UID(t), "reachable": false}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	w.Apply(`-replace=fleet_cluster.this["x"]`)
	got = attributes(w.Resource(`fleet_cluster.this["x"]`), "uid", "reachable")
	if diff := cmp.Diff(map[string]any{"uid": second.UID(t), "reachable": true}, got); diff != "" {
		t.Errorf("after the replacement (-want +got)\n%s", diff)
	}
	w.PlanEmpty()
}

func TestAccCluster_mode(t *testing.T) {
	proxy := fleettest.NewProxy(t, fleettest.Get(t, "eu-1"))
	w := withKubeconfigs(t, map[string]string{"x": proxy.Kubeconfig(t)})
	config := func(mode string) {
		w.Write("main.tf", fmt.Sprintf("resource \"fleet_cluster\" \"x\" {\n  name = \"x\"\n  mode = %q\n}\n", mode))
	}
	config("active")
	w.Apply()
	for _, mode := range []string{"maintenance", "decommissioned"} {
		config(mode)
		w.Apply()
		proxy.Forget()
		w.PlanEmpty()
		if n := len(proxy.Requests()); n != 0 {
			t.Errorf("%s: %d requests", mode, n)
		}
	}
	// A decommissioned cluster's connection may go.
	w.Write("provider.tf", "provider \"fleet\" {\n  kubeconfig_paths = []\n}\n")
	w.PlanEmpty()
	config("active")
	says(t, w.PlanFails(), `No connection for cluster "x"`)
}

func TestAccCluster_connectionChange(t *testing.T) {
	c := fleettest.Get(t, "eu-1")
	proxy := fleettest.NewProxy(t, c)
	w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
	w.Write("ca.crt", c.CA(t))
	w.Write("client.crt", c.ClientCert(t))
	w.Write("client.key", c.ClientKey(t))
	config := func(host string) {
		w.Write("main.tf", fmt.Sprintf(`
provider "fleet" {
  connections = {
    x = {
      client_certificate = file("client.crt")
      client_key         = file("client.key")
    }
  }
}
resource "fleet_cluster" "x" {
  name = "x"
  connect = {
    host                   = %q
    cluster_ca_certificate = file("ca.crt")
  }
}
`, host))
	}
	config(c.Host)
	w.Apply()
	config(proxy.Host())
	plan := w.Plan()
	says(t, plan, "1 to change", "host", proxy.Host())
	if regexp.MustCompile(`~ uid|~ minor`).MatchString(plan) {
		t.Errorf("uid or minor change:\n%s", plan)
	}
	w.Apply()
	w.PlanEmpty()

	t.Run("credentials that stop working are an error at plan, which another connection mends", func(t *testing.T) {
		config(c.Host)
		w.Apply()
		cert, key := c.SignClient(t, "carol", nil, -time.Hour)
		w.Write("client.crt", cert)
		w.Write("client.key", key)
		says(t, w.PlanFails(), `Error: No access to cluster "x"`, "CN=carol", "expired at")
		// The proxy does not look at client certificates.
		config(proxy.Host())
		w.Apply()
		w.PlanEmpty()
		config(c.Host)
		says(t, w.ApplyFails(), `Error: No access to cluster "x"`, "CN=carol", "expired at")
	})
}
