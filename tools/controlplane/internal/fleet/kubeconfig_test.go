package fleet

import (
	"os"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
)

func TestKubeconfigHasOneOfEachForEveryCluster(t *testing.T) {
	dir := t.TempDir()
	var clusters []*cluster.Cluster
	for i, name := range []string{"eu-1", "us-1"} {
		one := cluster.New(dir, name, "eu", "v1.36.3", "1.36", 1, cluster.Ports{API: 20001 + i}, nil)
		if err := one.Prepare(); err != nil {
			t.Fatal(err)
		}
		clusters = append(clusters, one)
	}
	fleet := newFleet(dir, "kubectl", clusters)
	if err := fleet.writeKubeconfig(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(fleet.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600", info.Mode().Perm())
	}
	config, err := clientcmd.LoadFromFile(fleet.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "eu-1" || len(config.Contexts) != 2 {
		t.Errorf("got current context %q of %d", config.CurrentContext, len(config.Contexts))
	}
	for _, one := range clusters {
		context, user, server := config.Contexts[one.Name], config.AuthInfos[one.Name], config.Clusters[one.Name]
		if context == nil || user == nil || server == nil {
			t.Fatalf("%s lacks a context, user or cluster", one.Name)
		}
		if context.Cluster != one.Name || context.AuthInfo != one.Name || server.Server != one.Host {
			t.Errorf("%s: context %+v, server %s", one.Name, context, server.Server)
		}
		if len(server.CertificateAuthorityData) == 0 || len(user.ClientCertificateData) == 0 || len(user.ClientKeyData) == 0 {
			t.Errorf("%s: certificates are not inline", one.Name)
		}
	}
}
