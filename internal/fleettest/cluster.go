package fleettest

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Cluster is one real cluster of the test fleet.
type Cluster struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Minor   string `json:"minor"`
	Region  string `json:"region"`
	// Host is the URL of the API server; ServerName is a name beside the host's that its certificate holds.
	Host                  string `json:"host"`
	ServerName            string `json:"serverName"`
	CAFile                string `json:"caFile"`
	CAKeyFile             string `json:"caKeyFile"`
	ClientCertFile        string `json:"clientCertFile"`
	ClientKeyFile         string `json:"clientKeyFile"`
	ServiceAccountKeyFile string `json:"serviceAccountKeyFile"`
	AuditLog              string `json:"auditLog"`
}

// CA is the PEM text of the authority that signed the API server's certificate.
func (c *Cluster) CA(t testing.TB) string { return read(t, c.CAFile) }

// ClientCert and ClientKey are the PEM texts of an administrator's credentials.
func (c *Cluster) ClientCert(t testing.TB) string { return read(t, c.ClientCertFile) }

// ClientKey goes with ClientCert.
func (c *Cluster) ClientKey(t testing.TB) string { return read(t, c.ClientKeyFile) }

// AdminConfig is client-go's configuration for an administrator, without a limit on requests.
func (c *Cluster) AdminConfig() *rest.Config {
	return &rest.Config{
		Host: c.Host, QPS: -1, UserAgent: "fleettest",
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.CAFile, CertFile: c.ClientCertFile, KeyFile: c.ClientKeyFile},
	}
}

// Admin is a client with an administrator's rights.
func (c *Cluster) Admin(t testing.TB) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// AdminDynamic is Admin for objects of any kind.
func (c *Cluster) AdminDynamic(t testing.TB) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(c.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// UID is the UID of the namespace kube-system.
func (c *Cluster) UID(t testing.TB) string {
	t.Helper()
	found, err := c.Admin(t).CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(found.UID)
}

// Kubeconfig is the text of a kubeconfig with one context, an administrator's, named like the cluster.
func (c *Cluster) Kubeconfig(t testing.TB) string {
	t.Helper()
	return KubeconfigText(c.Name, c.Host, c.CA(t), map[string]string{
		"client-certificate-data": c.ClientCert(t), "client-key-data": c.ClientKey(t),
	})
}

// Stop makes the cluster unreachable, for every test that uses it, and Start undoes that; the test's end does, too.
// Where a cluster only has to look unreachable to Terraform, a Proxy disturbs nobody else.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	control(t, "stop", c.Name)
	t.Cleanup(func() { c.Start(t) })
}

// Start undoes Stop.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	control(t, "start", c.Name)
}

// Namespace makes a namespace with a new name on every cluster, and deletes it when the test ends.
func Namespace(t testing.TB) string {
	t.Helper()
	name := Name(t)
	for _, c := range Clusters(t) {
		namespaces := c.Admin(t).CoreV1().Namespaces()
		if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatalf("creating namespace %s on %s: %v", name, c.Name, err)
		}
		t.Cleanup(func() {
			ctx, cancel := cleanupContext(t)
			defer cancel()
			if err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				t.Logf("deleting namespace %s on %s: %v", name, c.Name, err)
			}
		})
	}
	return name
}

// Name is a new name that begins like the test's, for objects outside of namespaces and for sets.
func Name(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(t.Name(), "TestAcc"), "Test")) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	prefix := strings.Trim(b.String()[:min(b.Len(), 24)], "-")
	return fmt.Sprintf("t-%s-%s", prefix, strings.ToLower(rand.Text()[:8]))
}

// KubeconfigText is a kubeconfig with one context of the given name, whose user has the given fields.
func KubeconfigText(name, host, ca string, user map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Config\ncurrent-context: %s\n", name)
	fmt.Fprintf(&b, "contexts:\n- name: %s\n  context: {cluster: %s, user: %s}\n", name, name, name)
	fmt.Fprintf(&b, "clusters:\n- name: %s\n  cluster:\n    server: %s\n", name, host)
	if ca != "" {
		fmt.Fprintf(&b, "    certificate-authority-data: %s\n", encode(ca))
	}
	fmt.Fprintf(&b, "users:\n- name: %s\n  user:\n", name)
	if len(user) == 0 {
		b.WriteString("    {}\n")
	}
	for field, value := range user {
		if strings.HasSuffix(field, "-data") {
			value = encode(value)
		}
		fmt.Fprintf(&b, "    %s: %s\n", field, value)
	}
	return b.String()
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Eventually tries until the condition holds, and fails the test when it has not within a minute.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("after a minute, still not: %s", what)
}
