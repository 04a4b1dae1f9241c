package cluster

import (
	"fmt"
	"path/filepath"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

const (
	issuer          = "https://kubernetes.default.svc.cluster.local"
	serviceNetwork  = "10.96.0.0/16"
	etcdQuotaInByte = 2 << 30
)

// arguments returns the command line of a program. Every one of them names a
// file in the cluster's directory: that is how its process is found again.
func (c *Cluster) arguments(program string) []string {
	switch program {
	case programs.Etcd:
		return c.etcdArguments()
	case programs.APIServer:
		return c.apiServerArguments()
	case programs.ControllerManager:
		return c.controllerManagerArguments()
	case programs.Scheduler:
		return c.schedulerArguments()
	default:
		return c.kwokArguments()
	}
}

func (c *Cluster) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", c.Ports.EtcdClient) }

func (c *Cluster) etcdArguments() []string {
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.Ports.EtcdPeer)
	return []string{
		"--name=" + c.Name,
		"--data-dir=" + c.file(programs.Etcd),
		"--listen-client-urls=" + c.etcdURL(),
		"--advertise-client-urls=" + c.etcdURL(),
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=" + c.Name + "=" + peer,
		// What a crash of the machine loses is of no interest; waiting for the disk is.
		"--unsafe-no-fsync",
		fmt.Sprintf("--quota-backend-bytes=%d", etcdQuotaInByte),
		"--log-level=warn",
	}
}

func (c *Cluster) apiServerArguments() []string {
	return []string{
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.Ports.API),
		"--etcd-servers=" + c.etcdURL(),
		"--cert-dir=" + c.file("pki"),
		"--tls-cert-file=" + c.pki("server.crt"),
		"--tls-private-key-file=" + c.pki("server.key"),
		"--client-ca-file=" + c.CAFile,
		"--anonymous-auth=false",
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + c.pki("sa.pub"),
		"--service-account-signing-key-file=" + c.ServiceAccountKeyFile,
		"--service-cluster-ip-range=" + serviceNetwork,
		// No Pod runs, so none looks for the API server; and a loopback address is
		// not allowed in the Service's endpoints.
		"--endpoint-reconciler-type=none",
		"--audit-policy-file=" + c.file("audit-policy.yaml"),
		"--audit-log-path=" + c.AuditLog,
		"--audit-log-format=json",
	}
}

func (c *Cluster) controllerManagerArguments() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigFile(programs.ControllerManager),
		"--leader-elect=false",
		"--secure-port=0",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.ServiceAccountKeyFile,
		"--root-ca-file=" + c.CAFile,
		"--cluster-signing-cert-file=" + c.CAFile,
		"--cluster-signing-key-file=" + c.CAKeyFile,
	}
}

func (c *Cluster) schedulerArguments() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigFile(programs.Scheduler),
		"--leader-elect=false",
		"--secure-port=0",
	}
}

func (c *Cluster) kwokArguments() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigFile(programs.Kwok),
		"--config=" + filepath.Join(c.Dir, "kwok.yaml"),
	}
}
