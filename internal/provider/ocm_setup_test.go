package provider_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clusterv1 "open-cluster-management.io/api/cluster/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/ocmtest"
)

// hubSetup is a workspace whose provider knows a hub, as the connection "hub", and the clusters of the test fleet.
type hubSetup struct {
	*fleettest.Workspace
	t   *testing.T
	hub *ocmtest.Hub
	// proxy stands in front of the hub.
	proxy *fleettest.Proxy
}

func newHubSetup(t *testing.T) *hubSetup {
	t.Helper()
	s := &hubSetup{Workspace: fleettest.NewWorkspace(t, fleettest.Terraform(t)), t: t, hub: ocmtest.NewHub(t, fleettest.Get(t, "eu-1"))}
	s.proxy = fleettest.NewProxy(t, s.hub.Cluster)
	s.Write("hub.kubeconfig", s.proxy.Kubeconfig(t))
	s.provider("")
	return s
}

// provider writes the provider's configuration.
func (s *hubSetup) provider(extra string) {
	s.t.Helper()
	s.Write("provider.tf", fmt.Sprintf("provider \"fleet\" {\n  owner = %q\n  kubeconfigs = { hub = file(\"hub.kubeconfig\") }\n  kubeconfig_paths = [%q]\n  inventory = { namespace = %q }\n%s\n}\n",
		s.t.Name(), fleettest.Kubeconfig(s.t), "fleet-system", extra))
}

// edge registers a managed cluster with a name of its own.
func (s *hubSetup) edge(change func(*clusterv1.ManagedCluster)) string {
	s.t.Helper()
	name := fleettest.Name(s.t)
	s.hub.Register(s.t, name, change)
	return name
}

// applyAs applies an object in somebody's name.
func applyAs(t *testing.T, cluster, manager, body string) {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON([]byte(body)); err != nil {
		t.Fatal(err)
	}
	_, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(configmaps).Namespace(obj.GetNamespace()).Apply(t.Context(), obj.GetName(), obj, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil {
		t.Fatal(err)
	}
}
