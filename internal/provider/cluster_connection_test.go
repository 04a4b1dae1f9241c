package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

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
