package cluster

import (
	_ "embed"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/pki"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

//go:embed audit-policy.yaml
var auditPolicy []byte

//go:embed kwok.yaml
var kwokConfig []byte

// self is the identity under which this program itself uses a cluster, so that
// its requests can be kept out of the audit log.
const self = "fleet-controlplane"

// users maps the names of the certificates to Kubernetes users and groups. The
// control plane's users have their rights from the roles that every API server
// makes when it starts.
var users = []struct {
	certificate, user string
	groups            []string
}{
	{"admin", "fleet-admin", []string{"system:masters"}},
	{self, "system:" + self, []string{"system:masters"}},
	{programs.ControllerManager, "system:kube-controller-manager", nil},
	{programs.Scheduler, "system:kube-scheduler", nil},
	{programs.Kwok, "system:kwok", []string{"system:masters"}},
}

// Prepare writes everything a cluster needs before it is started for the first
// time.
func (c *Cluster) Prepare() error {
	for _, dir := range []string{c.Dir, c.file("pki"), c.LogDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making a directory of %s: %w", c.Name, err)
		}
	}
	if err := c.certificates(); err != nil {
		return fmt.Errorf("making the certificates of %s: %w", c.Name, err)
	}
	for _, user := range users {
		if err := clientcmd.WriteToFile(c.kubeconfig(user.certificate), c.kubeconfigFile(user.certificate)); err != nil {
			return fmt.Errorf("writing the kubeconfig of %s of %s: %w", user.user, c.Name, err)
		}
	}
	for name, content := range map[string][]byte{"audit-policy.yaml": auditPolicy, "kwok.yaml": kwokConfig} {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return fmt.Errorf("writing a configuration file of %s: %w", c.Name, err)
		}
	}
	return nil
}

func (c *Cluster) certificates() error {
	authority, err := pki.NewAuthority(c.file("pki"), "fleet-"+c.Name)
	if err != nil {
		return err
	}
	err = authority.Server("server",
		"127.0.0.1", "::1", "10.96.0.1", "localhost", c.ServerName,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	if err != nil {
		return err
	}
	for _, user := range users {
		if err := authority.Client(user.certificate, user.user, user.groups...); err != nil {
			return err
		}
	}
	return pki.ServiceAccountKeys(c.file("pki"))
}

func (c *Cluster) kubeconfigFile(certificate string) string {
	return c.file(certificate + ".kubeconfig")
}

func (c *Cluster) kubeconfig(certificate string) clientcmdapi.Config {
	config := clientcmdapi.NewConfig()
	config.Clusters[c.Name] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthority: c.CAFile}
	config.AuthInfos[certificate] = &clientcmdapi.AuthInfo{
		ClientCertificate: c.pki(certificate + ".crt"),
		ClientKey:         c.pki(certificate + ".key"),
	}
	config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: certificate}
	config.CurrentContext = c.Name
	return *config
}
