// Package config writes the Terraform configuration that puts the work on a fleet, for this provider and for its peers.
// It is pure.
package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Setup is what a configuration is made of.
type Setup struct {
	// Kubeconfig is the path of a kubeconfig; Clusters are its contexts, one for each cluster.
	Kubeconfig string
	Clusters   []string
	// Work is what to put on every cluster.
	Work work.Work
	// Detail is fleet_manifest's detail; empty for its default.
	Detail string
	// Defer has clusters that do not answer left for later; only fleet can.
	Defer bool
}

// Provider is a provider that the bench can configure.
type Provider struct {
	// Name is its local name, the end of its program's name, and what it is called in results.
	Name string
	// Source is its address without the registry.
	Source string
	write  func(p Provider, s Setup, body *hclwrite.Body) error
	// single has each object in a file of its own.
	single bool
}

// Program is the name of the provider's program.
func (p Provider) Program() string { return "terraform-provider-" + p.Name }

// Fleet is the provider that is measured.
var Fleet = Provider{Name: "fleet", Source: "fleetform/fleet", write: writeFleet}

var peers = map[string]Provider{
	"kubectl":    {Name: "kubectl", Source: "alekc/kubectl", write: writeKubectl, single: true},
	"kubernetes": {Name: "kubernetes", Source: "hashicorp/kubernetes", write: writeKubernetes, single: true},
	"k8sconnect": {Name: "k8sconnect", Source: "jmorris0x0/k8sconnect", write: writeK8sconnect, single: true},
}

// Peer is a peer by its name. An unknown name is an error that tells the known ones.
func Peer(name string) (Provider, error) {
	peer, known := peers[name]
	if !known {
		return Provider{}, fmt.Errorf("there is no configuration for a peer %q, only for %s", name, strings.Join(slices.Sorted(maps.Keys(peers)), ", "))
	}
	return peer, nil
}

// Files are the files of a configuration, by their names below the directory that Terraform runs in.
func (p Provider) Files(s Setup) (map[string][]byte, error) {
	file := hclwrite.NewEmptyFile()
	p.require(file.Body())
	if err := p.write(p, s, file.Body()); err != nil {
		return nil, err
	}
	files := map[string][]byte{"main.tf": hclwrite.Format(file.Bytes())}
	objects := s.Work.List()
	if !p.single {
		text, err := work.YAML(objects)
		files["objects.yaml"] = text
		return files, err
	}
	for i := range objects {
		text, err := work.YAML(objects[i : i+1])
		if err != nil {
			return nil, err
		}
		if i == 0 {
			files["namespace.yaml"] = text
			continue
		}
		files[fmt.Sprintf("objects/%03d.yaml", i)] = text
	}
	return files, nil
}

// Empty is a configuration without providers and resources, of which a plan is Terraform's own share.
func Empty() map[string][]byte {
	return map[string][]byte{"main.tf": []byte("output \"nothing\" {\n  value = \"nothing\"\n}\n")}
}
