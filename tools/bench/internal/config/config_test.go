package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

func setup() Setup {
	return Setup{Kubeconfig: "/fleet/kube config", Clusters: []string{"eu-1", "eu-2", "us-1"}, Work: work.New("bench", 5)}
}

func all() []Provider {
	list := []Provider{Fleet}
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		list = append(list, peers[name])
	}
	return list
}

// parse parses a configuration the way Terraform does, and returns the labels of its blocks, in order.
func parse(t *testing.T, source []byte) (*hclsyntax.Body, []string) {
	t.Helper()
	file, problems := hclsyntax.ParseConfig(source, "main.tf", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatalf("%v\n%s", problems, source)
	}
	body := file.Body.(*hclsyntax.Body)
	var blocks []string
	for _, block := range body.Blocks {
		blocks = append(blocks, strings.Join(append([]string{block.Type}, block.Labels...), " "))
	}
	return body, blocks
}

func TestConfigurationsParseAndAreFormatted(t *testing.T) {
	for _, p := range all() {
		t.Run(p.Name, func(t *testing.T) {
			files, err := p.Files(setup())
			if err != nil {
				t.Fatal(err)
			}
			source := files["main.tf"]
			body, _ := parse(t, source)
			if again := hclwrite.Format(source); !cmp.Equal(source, again) {
				t.Errorf("not as terraform fmt writes it:\n%s", cmp.Diff(string(again), string(source)))
			}
			required := body.Blocks[0].Body.Blocks[0].Body.Attributes[p.Name]
			if required == nil {
				t.Fatalf("the provider is not required:\n%s", source)
			}
			value, problems := required.Expr.Value(nil)
			if problems.HasErrors() || value.GetAttr("source").AsString() != p.Source {
				t.Errorf("required from %v (%v), want %s", value, problems, p.Source)
			}
		})
	}
}

func TestFleetConfiguration(t *testing.T) {
	s := setup()
	s.Detail, s.Defer = "digest", true
	files, err := Fleet.Files(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

provider "fleet" {
  kubeconfig_paths = ["/fleet/kube config"]
}

locals {
  clusters = {
    eu-1 = "eu-1"
    eu-2 = "eu-2"
    us-1 = "us-1"
  }
}

resource "fleet_cluster" "this" {
  for_each    = local.clusters
  name        = each.key
  unreachable = "defer"
}

resource "fleet_manifest" "bench" {
  name      = "bench"
  clusters  = fleet_cluster.this
  manifests = [file("objects.yaml")]
  wait = {
    until = "none"
  }
  detail = "digest"
}
`
	if diff := cmp.Diff(want, string(files["main.tf"])); diff != "" {
		t.Errorf("main.tf (-want +got):\n%s", diff)
	}
	if got := strings.Count(string(files["objects.yaml"]), "apiVersion: "); got != 5 || len(files) != 2 {
		t.Errorf("%d objects in %d files, want 5 in 2", got, len(files))
	}
	plain, err := Fleet.Files(setup())
	if err != nil {
		t.Fatal(err)
	}
	if text := string(plain["main.tf"]); strings.Contains(text, "detail") || strings.Contains(text, "unreachable") {
		t.Errorf("arguments nobody asked for:\n%s", text)
	}
}

func TestPeersCoverEveryObjectOfEveryCluster(t *testing.T) {
	for _, p := range all()[1:] {
		t.Run(p.Name, func(t *testing.T) {
			files, err := p.Files(setup())
			if err != nil {
				t.Fatal(err)
			}
			names := slices.Sorted(maps.Keys(files))
			if diff := cmp.Diff([]string{"main.tf", "namespace.yaml", "objects/001.yaml", "objects/002.yaml", "objects/003.yaml", "objects/004.yaml"}, names); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			body, blocks := parse(t, files["main.tf"])
			resources := 0
			for _, block := range body.Blocks {
				if block.Type != "resource" {
					continue
				}
				resources++
				if !strings.HasPrefix(block.Labels[0], p.Name+"_") {
					t.Errorf("a resource %s", block.Labels[0])
				}
				// A resource of objects waits for its cluster's namespace, and is for all the files.
				ofObjects := strings.HasSuffix(block.Labels[1], "_objects")
				if has := block.Body.Attributes["for_each"] != nil && block.Body.Attributes["depends_on"] != nil; has != ofObjects {
					t.Errorf("%s: for_each and depends_on: %t, want %t", block.Labels[1], has, ofObjects)
				}
				ownConnection := block.Body.Attributes["provider"] != nil || block.Body.Attributes["cluster"] != nil
				if !ownConnection {
					t.Errorf("%s is for no cluster", block.Labels[1])
				}
			}
			if resources != 6 {
				t.Errorf("%d resources, want two for each of three clusters: %v", resources, blocks)
			}
			for _, cluster := range setup().Clusters {
				if !strings.Contains(string(files["main.tf"]), `"`+cluster+`"`) {
					t.Errorf("nothing is for %s", cluster)
				}
			}
		})
	}
}

func TestPeerUnknown(t *testing.T) {
	_, err := Peer("helm")
	if err == nil || !strings.Contains(err.Error(), "k8sconnect, kubectl, kubernetes") {
		t.Errorf("error %v, want one that tells the known peers", err)
	}
}

func TestEmpty(t *testing.T) {
	if _, blocks := parse(t, Empty()["main.tf"]); !slices.Equal(blocks, []string{"output nothing"}) {
		t.Errorf("blocks %v", blocks)
	}
}
