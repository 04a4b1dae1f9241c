package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"

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
	w.Write("main.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%q]
}
resource "fleet_cluster" "this" {
  for_each = toset(["eu-1"])
  name     = each.key
}
`, fleettest.Kubeconfig(t)))
	w.Must("import", "-no-color", `fleet_cluster.this["eu-1"]`, "eu-1")
	w.PlanEmpty()
	says(t, w.MustFail("import", "-no-color", `fleet_cluster.this["eu-2"]`, "eu-9"), "")
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

	t.Run("credentials that stop working are an error at plan, which a new connection mends", func(t *testing.T) {
		cert, key := c.SignClient(t, "carol", nil, -time.Hour)
		w.Write("client.crt", cert)
		w.Write("client.key", key)
		config(c.Host)
		w.Must("apply", "-refresh-only", "-auto-approve", "-no-color")
		config(proxy.Host())
		w.Write("client.crt", c.ClientCert(t))
		w.Write("client.key", c.ClientKey(t))
		w.Apply()
		w.PlanEmpty()
		w.Write("client.crt", cert)
		w.Write("client.key", key)
		config(c.Host)
		// The proxy does not look at client certificates, so only the API server itself refuses this one.
		says(t, w.ApplyFails(), `Error: No access to cluster "x"`, "CN=carol", "expired at")
	})
}

func TestAccCluster_unknownAtPlan(t *testing.T) {
	c := fleettest.Get(t, "eu-1")
	for name, provider := range map[string]string{
		"a kubeconfig":         `kubeconfigs = { x = terraform_data.made.output }`,
		"all kubeconfigs":      `kubeconfigs = zipmap([terraform_data.name.output], [terraform_data.made.output])`,
		"a part of connection": `connections = { x = { host = %q, cluster_ca_certificate = terraform_data.ca.output, client_certificate = file("client.crt"), client_key = file("client.key") } }`,
	} {
		t.Run(name, func(t *testing.T) {
			w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
			w.Write("kubeconfig", c.Kubeconfig(t))
			w.Write("ca.crt", c.CA(t))
			w.Write("client.crt", c.ClientCert(t))
			w.Write("client.key", c.ClientKey(t))
			if strings.Contains(provider, "%q") {
				provider = fmt.Sprintf(provider, c.Host)
			}
			w.Write("main.tf", fmt.Sprintf(`
resource "terraform_data" "made" { input = file("kubeconfig") }
resource "terraform_data" "name" { input = "x" }
resource "terraform_data" "ca" { input = file("ca.crt") }
provider "fleet" {
  %s
}
resource "fleet_cluster" "x" { name = "x" }
`, provider))
			says(t, w.Plan(), "+ access = (known after apply)")
			w.Apply()
			w.PlanEmpty()
			if got := w.Resource("fleet_cluster.x")["uid"]; got != c.UID(t) {
				t.Errorf("uid is %v", got)
			}
		})
	}
}

func TestAccCluster_errors(t *testing.T) {
	c, other := fleettest.Get(t, "eu-1"), fleettest.Get(t, "eu-2")
	namespace := fleettest.Namespace(t)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(c.Kubeconfig(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	connection := func(attributes string) string {
		return fmt.Sprintf("connections = {\n  eu-9 = {\n    host = %q\n    cluster_ca_certificate = file(\"ca.crt\")\n%s\n}\n}\n", c.Host, attributes)
	}
	for _, test := range []struct {
		name              string
		provider, cluster string
		atPlan            bool
		says              []string
	}{
		{
			name: "nobody configured it", provider: fmt.Sprintf("kubeconfig_paths = [%q]", file), atPlan: true,
			says: []string{`Error: No connection for cluster "eu-9"`, "Looked in: provider connections (none), provider kubeconfigs (none)",
				"the resource's connect (not set)", "(eu-1). Did you mean \"eu-1\"?"},
		},
		{
			name: "a kubeconfig that does not parse", provider: `kubeconfigs = { eu-9 = "apiVersion: [" }`, atPlan: true,
			says: []string{`The connection of cluster "eu-9" cannot be used`, `provider kubeconfigs["eu-9"]`, "does not parse"},
		},
		{
			name: "a context that is not there", provider: fmt.Sprintf("kubeconfig_paths = [%q]", file), cluster: `connect = { context = "nowhere" }`,
			atPlan: true, says: []string{`there is no context "nowhere"; there are: eu-1`},
		},
		{
			name: "wrong authority", provider: fmt.Sprintf("connections = { eu-9 = { host = %q, cluster_ca_certificate = file(\"other.crt\"), token = \"t\" } }", c.Host),
			says: []string{`Error: The certificate of cluster "eu-9" is not trusted`, "presented:", "expected:"},
		},
		{name: "wrong token", provider: connection(`token = "nonsense"`), says: []string{`Error: No access to cluster "eu-9"`, "401 Unauthorized"}},
		{name: "expired token", provider: connection(fmt.Sprintf("token = %q", c.ExpiredToken(t))), says: []string{`Error: No access to cluster "eu-9"`, "the token expired at"}},
		{
			name: "no permission", provider: connection(fmt.Sprintf("token = %q", c.ServiceAccount(t, namespace))),
			says: []string{`Error: Not allowed on cluster "eu-9"`, `cannot get resource "namespaces"`},
		},
		{
			name:     "exec plugin that fails",
			provider: connection(`exec = { api_version = "client.authentication.k8s.io/v1", command = "/bin/sh", args = ["-c", "echo session expired, run login >&2; exit 1"] }`),
			says:     []string{`Error: No access to cluster "eu-9"`, "The plugin says:", "session expired, run login"},
		},
		{name: "no URL", provider: `connections = { eu-9 = { host = "10.0.0.1" } }`, atPlan: true, says: []string{"Invalid connection", "is not a URL"}},
		{name: "exec and token", provider: connection(`exec = { command = "c" }` + "\n" + `token = "t"`), atPlan: true, says: []string{"Both exec and token are set"}},
		{
			name: "a base64 authority", cluster: fmt.Sprintf(`connect = { host = %q, cluster_ca_certificate = filebase64("ca.crt") }`, c.Host), atPlan: true,
			says: []string{"base64decode()", "on main.tf line"},
		},
		{
			name: "a password in the resource's proxy_url", cluster: `connect = { host = "https://h", proxy_url = "http://u:p@h:1" }`, atPlan: true,
			says: []string{"Secret in a resource's connection"},
		},
		{name: "a duration that is none", provider: `connect_timeout = "soon"`, atPlan: true, says: []string{`"soon" is not a positive duration`}},
		{name: "a taint of no effect", cluster: `taints = [{ key = "a", effect = "NoSchedule" }]`, atPlan: true, says: []string{"NoSelect", "NoSchedule"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
			w.Write("ca.crt", c.CA(t))
			w.Write("other.crt", other.CA(t))
			w.Write("main.tf", fmt.Sprintf("provider \"fleet\" {\n%s\n}\nresource \"fleet_cluster\" \"x\" {\n  name = \"eu-9\"\n%s\n}\n", test.provider, test.cluster))
			if test.atPlan {
				says(t, w.PlanFails(), test.says...)
				return
			}
			says(t, w.ApplyFails(), test.says...)
			if w.Resource("fleet_cluster.x") != nil {
				t.Error("it is in the state")
			}
		})
	}
}

func TestAccCluster_permissions(t *testing.T) {
	c := fleettest.Get(t, "eu-1")
	token := c.ServiceAccount(t, fleettest.Namespace(t),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"*"}, Verbs: []string{"*"}},
		rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get", "list"}},
	)
	w := withKubeconfigs(t, map[string]string{"x": fleettest.KubeconfigText("x", c.Host, c.CA(t), map[string]string{"token": token})})
	w.Write("main.tf", `resource "fleet_cluster" "x" { name = "x" }`)
	output := w.Apply()
	says(t, output, `Warning: Permissions on cluster "x" that sets may need are missing`, "patch deployments.apps", "delete deployments.apps")
	saysNot(t, output, "get deployments.apps", "configmaps")
	w.PlanEmpty()
}

// TestAccCluster_secrets gives secrets in every way there is, as ephemeral values, and looks for them in everything that
// is written.
func TestAccCluster_secrets(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		c := fleettest.Get(t, "eu-1")
		namespace := fleettest.Namespace(t)
		token := c.ServiceAccount(t, namespace, fleettest.AdminRules()...)
		pluginToken := c.ServiceAccount(t, namespace, fleettest.AdminRules()...)
		kubeconfigToken := c.ServiceAccount(t, namespace, fleettest.AdminRules()...)
		proxy := fleettest.NewForwardProxy(t, "alice", "pr0xy-password")
		w := fleettest.NewWorkspace(t, cli)
		w.Write("ca.crt", c.CA(t))
		plugin := `echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"$PLUGIN_TOKEN\"}}"`
		w.Write("main.tf", fmt.Sprintf(`
variable "token" {
  type      = string
  ephemeral = true
}
variable "plugin_token" {
  type      = string
  ephemeral = true
}
variable "proxy" {
  type      = string
  ephemeral = true
}
variable "kubeconfig" {
  type      = string
  ephemeral = true
}
variable "client_key" {
  type      = string
  ephemeral = true
}
provider "fleet" {
  connections = {
    token = { host = %[1]q, cluster_ca_certificate = file("ca.crt"), token = var.token, proxy_url = var.proxy }
    exec  = { exec = { env = { PLUGIN_TOKEN = var.plugin_token } } }
    cert  = { host = %[1]q, cluster_ca_certificate = file("ca.crt"), client_certificate = file(%[2]q), client_key = var.client_key }
  }
  kubeconfigs = { text = var.kubeconfig }
}
resource "fleet_cluster" "this" {
  for_each = toset(["token", "cert", "text"])
  name     = each.key
}
resource "fleet_cluster" "exec" {
  name = "exec"
  connect = {
    host                   = %[1]q
    cluster_ca_certificate = file("ca.crt")
    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "/bin/sh"
      args        = ["-c", %[3]q]
    }
  }
}
`, c.Host, c.ClientCertFile, plugin))
		kubeconfig := fleettest.KubeconfigText("text", c.Host, c.CA(t), map[string]string{"token": kubeconfigToken})
		w.Env = append(w.Env, "TF_VAR_token="+token, "TF_VAR_plugin_token="+pluginToken, "TF_VAR_proxy="+proxy.URL(),
			"TF_VAR_kubeconfig="+kubeconfig, "TF_VAR_client_key="+c.ClientKey(t), "TF_LOG=TRACE", "TF_LOG_PATH="+w.Path("trace.log"))
		written := map[string]string{}
		written["plan"] = w.Plan("-out=" + w.Path("plan.bin"))
		written["plan JSON"] = w.Must("show", "-json", w.Path("plan.bin"))
		written["apply"] = w.Must("apply", "-no-color", w.Path("plan.bin"))
		written["second plan"] = w.PlanEmpty()
		written["state JSON"] = w.Must("show", "-json")
		for _, name := range []string{"terraform.tfstate", "trace.log", "plan.bin"} {
			text, err := os.ReadFile(w.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			written[name] = string(text)
		}
		if proxy.Tunnels() == 0 {
			t.Error("nothing went through the proxy")
		}
		key := strings.Split(strings.TrimSpace(c.ClientKey(t)), "\n")
		secrets := map[string]string{
			"token": token, "plugin token": pluginToken, "kubeconfig's token": kubeconfigToken, "proxy password": "pr0xy-password", "client key": key[1],
		}
		for where, text := range written {
			for what, secret := range secrets {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("the %s is in the %s: ...%s", what, where, text[max(0, i-200):min(len(text), i+20)])
				}
			}
		}
		for _, text := range []string{"@module=fleet.cluster", "object=/version", "status=200", "duration="} {
			if !strings.Contains(written["trace.log"], text) {
				t.Errorf("the log lacks %q", text)
			}
		}
	})
}
