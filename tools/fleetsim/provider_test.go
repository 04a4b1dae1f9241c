package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/replay"
)

// sets are what the provider is recorded with, by the recordings' names: files of manifests, and what in them is replaced by the unique name.
var sets = map[string]struct {
	files   string
	replace []string
}{
	"provider-shop":       {files: "testdata/shop.yaml", replace: []string{"name: shop\n", "namespace: shop\n"}},
	"provider-quickstart": {files: "../../examples/quickstart/manifests/*.yaml", replace: []string{"name: shop\n", "namespace: shop\n", "shop.example.com"}},
}

const configuration = `
terraform {
  required_providers {
    fleet = { source = "fleetform/fleet" }
  }
}

variable "replicas" {
  type    = number
  default = 2
}

provider "fleet" {
  kubeconfig_paths = ["KUBECONFIG"]
  inventory        = { namespace = "NAME-sets" }
}

resource "fleet_cluster" "this" {
  name = "real"
}

resource "fleet_manifest" "this" {
  name             = "NAME"
  clusters         = { real = fleet_cluster.this }
  manifests        = [for doc in split("---\n", file("manifests.yaml")) : replace(doc, "image: ", "image: ${var.replicas == 2 ? "" : "mirror."}")]
  secrets_in_state = true
}
`

// TestAccRecordProvider makes the recordings of the provider's own requests anew: a first apply, a plan without changes, a drift with a plan and an apply that corrects it, a change, a destroy.
func TestAccRecordProvider(t *testing.T) {
	if os.Getenv("FLEETSIM_RECORD") == "" {
		t.Skip("this makes recordings anew; set FLEETSIM_RECORD=1")
	}
	target := actual(t)
	build := t.TempDir()
	run(t, "../..", nil, "go", "build", "-o", build, ".")
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			unique, proxy := newName(), replay.NewProxy(target)
			server := httptest.NewServer(proxy)
			defer server.Close()
			w := newWorkspace(t, build, server.URL, unique, manifests(t, set.files, set.replace, unique))
			w.terraform("apply", "-auto-approve")
			w.terraform("plan")
			proxied := replay.Target{Host: server.URL, Client: server.Client()}
			scale := "/apis/apps/v1/namespaces/" + unique + "/deployments/web/scale?fieldManager=kubectl"
			if _, err := proxied.Send(t.Context(), replay.Exchange{Method: "PATCH", Path: scale, ContentType: "application/merge-patch+json", Body: `{"spec":{"replicas":7}}`}); err != nil {
				t.Fatal(err)
			}
			w.terraform("plan")
			w.terraform("apply", "-auto-approve")
			w.terraform("apply", "-auto-approve", "-var", "replicas=3")
			w.terraform("plan", "-var", "replicas=3")
			w.terraform("destroy", "-auto-approve", "-var", "replicas=3")
			// The provider leaves the inventory's namespace to others.
			if _, err := proxied.Send(t.Context(), replay.Exchange{Method: "DELETE", Path: "/api/v1/namespaces/" + unique + "-sets"}); err != nil {
				t.Fatal(err)
			}
			if err := replay.Save(filepath.Join(recordings, name+".json"), unique, proxy.Recorded()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func manifests(t *testing.T, pattern string, replace []string, unique string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no manifests %s: %v", pattern, err)
	}
	var docs []string
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(text))
	}
	all := strings.Join(docs, "---\n")
	for _, old := range replace {
		all = strings.ReplaceAll(all, old, strings.Replace(old, "shop", unique, 1))
	}
	return all
}

// workspace is a directory that Terraform runs in.
type workspace struct {
	t   *testing.T
	dir string
	env []string
}

func newWorkspace(t *testing.T, build, host, unique, manifests string) workspace {
	t.Helper()
	dir := t.TempDir()
	config := strings.NewReplacer("KUBECONFIG", filepath.Join(dir, "kubeconfig"), "NAME", unique).Replace(configuration)
	kubeconfig := "apiVersion: v1\nkind: Config\nclusters: [{name: real, cluster: {server: \"" + host + "\"}}]\n" +
		"users: [{name: real, user: {token: none}}]\ncontexts: [{name: real, context: {cluster: real, user: real}}]\n"
	cli := "provider_installation {\n  dev_overrides { \"fleetform/fleet\" = \"" + build + "\" }\n  direct {}\n}\n"
	for name, text := range map[string]string{"main.tf": config, "kubeconfig": kubeconfig, "dev.tfrc": cli, "manifests.yaml": manifests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return workspace{t: t, dir: dir, env: []string{"TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "dev.tfrc")}}
}

func (w workspace) terraform(args ...string) {
	w.t.Helper()
	program := os.Getenv("FLEET_TERRAFORM")
	if program == "" {
		program = "terraform"
	}
	run(w.t, w.dir, w.env, program, append(args, "-no-color")...)
}

func run(t *testing.T, dir string, env []string, program string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}
