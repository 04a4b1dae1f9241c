package cluster

import (
	"slices"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/process"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

func newCluster() *Cluster {
	return New("/f", "eu-1", "eu", "v1.36.3", "1.36", 4, Ports{API: 20001, EtcdClient: 20002, EtcdPeer: 20003}, nil)
}

func TestEveryProgramIsRecognisedByItsCommandLine(t *testing.T) {
	c := newCluster()
	for _, program := range programs.All {
		name, dir := process.Identify(append([]string{"/cache/" + program}, c.arguments(program)...))
		if name != program || dir != c.Dir {
			t.Errorf("%s: recognised as %q of %q", program, name, dir)
		}
		if !c.owns(dir) || !below("/f")(dir) || below("/")(dir) || below("/f/eu-1")(dir) {
			t.Errorf("%s: wrong owner of %q", program, dir)
		}
	}
}

func TestNoProgramListensToTheNetwork(t *testing.T) {
	c := newCluster()
	for program, want := range map[string]string{
		programs.Etcd:              "--listen-client-urls=http://127.0.0.1:20002",
		programs.APIServer:         "--bind-address=127.0.0.1",
		programs.ControllerManager: "--secure-port=0",
		programs.Scheduler:         "--secure-port=0",
	} {
		if !slices.Contains(c.arguments(program), want) {
			t.Errorf("%s lacks %s", program, want)
		}
	}
}

func TestNodesAreSpreadOverZones(t *testing.T) {
	c := newCluster()
	zones := map[string]int{}
	names := map[string]bool{}
	for i := range c.Nodes {
		node := c.node(i)
		zones[node.Labels["topology.kubernetes.io/zone"]]++
		names[node.Name] = true
		if node.Labels["topology.kubernetes.io/region"] != "eu" || node.Status.Allocatable.Pods().Value() == 0 {
			t.Errorf("node %s has labels %v and room for %d pods", node.Name, node.Labels, node.Status.Allocatable.Pods().Value())
		}
	}
	if len(names) != 4 || zones["eu-a"] != 2 || zones["eu-b"] != 1 || zones["eu-c"] != 1 {
		t.Errorf("names %v, zones %v", names, zones)
	}
}
