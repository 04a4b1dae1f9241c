package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_requests counts what a plan costs each cluster, at the door of its API server.
func TestAccManifest_requests(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxies := map[string]*fleettest.Proxy{}
	for _, c := range fleettest.Clusters(t) {
		proxies[c.Name] = s.through(c.Name)
	}
	s.fleet("")
	// Ten objects of four kinds.
	manifests := []string{deployment("one", 1), deployment("two", 1)}
	for i := range 5 {
		manifests = append(manifests, configMap(fmt.Sprintf("c%d", i), "x"))
	}
	for i := range 2 {
		manifests = append(manifests, fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n", i))
	}
	manifests = append(manifests, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n")
	s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns), manifests...)
	measure := func(what string, run func()) map[string]int {
		for _, p := range proxies {
			p.Forget()
		}
		run()
		counts := map[string]int{}
		for name, p := range proxies {
			counts[name] = len(p.Requests())
		}
		t.Logf("%s: requests %v", what, counts)
		return counts
	}
	const constant, kinds, objects = 3, 4, 10

	for name, n := range measure("first apply", func() { s.Apply() }) {
		// Discovery, permissions of the new fleet_cluster, two dry runs and one patch per object, the parent.
		if limit := 3*objects + 40; n > limit {
			t.Errorf("%s: the first apply took %d requests, more than %d:\n%s", name, n, limit, requests(proxies[name]))
		}
	}
	for name, n := range measure("no-change plan", func() { s.PlanEmpty() }) {
		if n != constant+kinds {
			t.Errorf("%s: a plan without changes took %d requests, want %d (version, uid, parent and one LIST per kind):\n%s",
				name, n, constant+kinds, requests(proxies[name]))
		}
	}
	manifests[2] = configMap("c0", "changed")
	s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns), manifests...)
	for name, n := range measure("plan with one change", func() { s.Plan() }) {
		if n != constant+kinds+1 {
			t.Errorf("%s: a plan with one change took %d requests, want %d:\n%s", name, n, constant+kinds+1, requests(proxies[name]))
		}
	}
	measure("apply of one change", func() { s.Apply() })
	s.Destroy()
}

func requests(p *fleettest.Proxy) string {
	var b strings.Builder
	for _, r := range p.Requests() {
		fmt.Fprintf(&b, "%s %s %s\n", r.Method, r.Path, r.Query.Encode())
	}
	return b.String()
}

// TestAccManifest_noSecrets uses a token and a Secret and looks for both where they must not be.
func TestAccManifest_noSecrets(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	c := fleettest.Get(t, "eu-1")
	token := c.ServiceAccount(t, ns, fleettest.AdminRules()...)
	s.Write("fleet.tf", fmt.Sprintf(`
variable "token" {
  type      = string
  ephemeral = true
}
provider "fleet" {
  connections = { eu-1 = { host = %q, cluster_ca_certificate = file("ca.pem"), token = var.token } }
}
resource "fleet_cluster" "this" {
  for_each = toset(["eu-1"])
  name     = each.key
}
`, c.Host))
	s.Write("ca.pem", c.CA(t))
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {password: hunter2hunter2}\n")
	s.Env = append(s.Env, "TF_VAR_token="+token, "TF_LOG=TRACE", "TF_LOG_PATH="+s.Path("trace.log"))
	s.Apply("-refresh=true")
	patch(t, "eu-1", secrets, ns, "x", `{"stringData":{"password":"changedbyhand"}}`)
	out := s.Plan("-out=" + s.Path("plan.bin"))
	shown := s.Must("show", "-json", s.Path("plan.bin"))
	for where, text := range map[string]string{"the plan": out, "the state": read(t, s.Path("terraform.tfstate")), "the plan as JSON": shown, "the TRACE log": read(t, s.Path("trace.log"))} {
		for what, secret := range map[string]string{"the token": token, "the live value": "changedbyhand", "its base64": "Y2hhbmdlZGJ5aGFuZA"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
	if strings.Contains(read(t, s.Path("trace.log")), "hunter2hunter2") {
		t.Error("the configured secret is in the TRACE log")
	}
	if !strings.Contains(read(t, s.Path("trace.log")), "/api/v1/namespaces/"+ns+"/secrets/x") {
		t.Error("the TRACE log lacks the requests")
	}
	s.Env = s.Env[:len(s.Env)-2]
	s.Apply()
	s.Destroy()
}
