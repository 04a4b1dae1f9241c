package cluster_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// connect resolves and contacts the cluster x with one connection in the provider's connections.
func connect(t *testing.T, c cluster.Connection) (*cluster.Client, error) {
	t.Helper()
	return connectWith(t, cluster.Config{Connections: map[string]cluster.Connection{"x": c}}, cluster.Connection{})
}

func connectWith(t *testing.T, cfg cluster.Config, own cluster.Connection) (*cluster.Client, error) {
	t.Helper()
	pool := cluster.NewPool(cfg)
	resolved, err := pool.Resolve("x", own)
	if err != nil {
		return nil, err
	}
	return pool.Client(t.Context(), "x", resolved.Access())
}

func admin(t *testing.T, c *fleettest.Cluster) cluster.Connection {
	t.Helper()
	return cluster.Connection{
		Host: c.Host, ClusterCACertificate: c.CA(t), ClientCertificate: c.ClientCert(t), ClientKey: c.ClientKey(t),
	}
}

// answers fails the test unless the client works on the real cluster.
func answers(t *testing.T, site *fleettest.Cluster, client *cluster.Client, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	uid, err := client.UID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := site.UID(t); uid != want {
		t.Errorf("uid is %s, want %s", uid, want)
	}
}

func TestAccClient_connects(t *testing.T) {
	site := fleettest.Get(t, "eu-1")
	namespace := fleettest.Namespace(t)
	token := site.ServiceAccount(t, namespace, fleettest.AdminRules()...)
	withToken := cluster.Connection{Host: site.Host, ClusterCACertificate: site.CA(t), Token: token}
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plugin := file("plugin", "#!/bin/sh\necho \"{\\\"apiVersion\\\":\\\"client.authentication.k8s.io/v1\\\",\\\"kind\\\":\\\"ExecCredential\\\",\\\"status\\\":{\\\"token\\\":\\\"$PLUGIN_TOKEN\\\"}}\"\n")
	yes := true

	for name, c := range map[string]cluster.Connection{
		"client certificate": admin(t, site),
		"token":              withToken,
		"token file":         {Host: site.Host, ClusterCACertificate: site.CA(t), TokenFile: file("token", token)},
		"insecure":           {Host: site.Host, Insecure: &yes, Token: token},
		"tls_server_name":    {Host: site.Host, ClusterCACertificate: site.CA(t), TLSServerName: site.ServerName, Token: token},
		"exec plugin": {Host: site.Host, ClusterCACertificate: site.CA(t), Exec: &cluster.Exec{
			APIVersion: "client.authentication.k8s.io/v1", Command: plugin, Env: map[string]string{"PLUGIN_TOKEN": token},
		}},
		"kubeconfig and context": {KubeconfigPath: fleettest.Kubeconfig(t), Context: "eu-1"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := connect(t, c)
			answers(t, site, client, err)
			if version, _ := client.Version(t.Context()); version.Git != site.Version || version.Minor != site.Minor {
				t.Errorf("version is %+v, want %s, %s", version, site.Version, site.Minor)
			}
		})
	}
	t.Run("raw kubeconfig", func(t *testing.T) {
		client, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": site.Kubeconfig(t)}}, cluster.Connection{})
		answers(t, site, client, err)
	})
	t.Run("raw kubeconfig that names a dead loopback address, host from the resource", func(t *testing.T) {
		text := strings.Replace(site.Kubeconfig(t), site.Host, "https://127.0.0.1:1", 1)
		client, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": text}}, cluster.Connection{Host: site.Host})
		answers(t, site, client, err)
	})
	t.Run("secrets from the provider, the rest from the resource", func(t *testing.T) {
		cfg := cluster.Config{Connections: map[string]cluster.Connection{"x": {Token: token}}}
		client, err := connectWith(t, cfg, cluster.Connection{Host: site.Host, ClusterCACertificate: site.CA(t)})
		answers(t, site, client, err)
	})
	t.Run("by an access text of an earlier run, after the connection has left the configuration", func(t *testing.T) {
		pool := cluster.NewPool(cluster.Config{KubeconfigPaths: []string{fleettest.Kubeconfig(t)}})
		resolved, err := pool.Resolve("eu-1", cluster.Connection{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := cluster.NewPool(cluster.Config{}).Client(t.Context(), "eu-1", resolved.Access())
		answers(t, site, client, err)
	})
	t.Run("through a proxy", func(t *testing.T) {
		proxy := fleettest.NewForwardProxy(t, "alice", "pr0xy-secret")
		c := withToken
		c.ProxyURL = proxy.URL()
		client, err := connect(t, c)
		answers(t, site, client, err)
		if proxy.Tunnels() == 0 {
			t.Error("nothing went through the proxy")
		}
		c.ProxyURL = strings.Replace(proxy.URL(), "pr0xy-secret", "wr0ng-secret", 1)
		_, err = connect(t, c)
		var credentials *cluster.CredentialsError
		if !errors.As(err, &credentials) || strings.Contains(err.Error(), "wr0ng-secret") {
			t.Errorf("with a wrong password: %v", err)
		}
	})
}

func TestAccClient_rejected(t *testing.T) {
	site, other := fleettest.Get(t, "eu-1"), fleettest.Get(t, "eu-2")
	namespace := fleettest.Namespace(t)
	with := func(change func(*cluster.Connection)) cluster.Connection {
		c := cluster.Connection{Host: site.Host, ClusterCACertificate: site.CA(t)}
		change(&c)
		return c
	}
	expiredCert, expiredKey := site.SignClient(t, "carol", nil, -time.Hour)
	strangerCert, strangerKey := other.SignClient(t, "mallory", nil, time.Hour)
	credentials := func(err error) bool {
		var want *cluster.CredentialsError
		return errors.As(err, &want)
	}
	certificate := func(err error) bool {
		var want *cluster.CertificateError
		return errors.As(err, &want)
	}
	for _, test := range []struct {
		name string
		conn cluster.Connection
		kind func(error) bool
		says []string
	}{
		{"no credentials", with(func(*cluster.Connection) {}), credentials, []string{"401", "no credentials"}},
		{"wrong token", with(func(c *cluster.Connection) { c.Token = "s3cret-nonsense" }), credentials, []string{"401 Unauthorized", "the token was not accepted"}},
		{"expired token", with(func(c *cluster.Connection) { c.Token = site.ExpiredToken(t) }), credentials, []string{"the token expired at "}},
		{"expired client certificate", with(func(c *cluster.Connection) { c.ClientCertificate, c.ClientKey = expiredCert, expiredKey }), credentials, []string{"CN=carol", "expired at"}},
		{"client certificate of another cluster", with(func(c *cluster.Connection) { c.ClientCertificate, c.ClientKey = strangerCert, strangerKey }), credentials, []string{"CN=mallory"}},
		{"wrong authority", with(func(c *cluster.Connection) { c.ClusterCACertificate, c.Token = other.CA(t), "s3cret-nonsense" }), certificate, []string{"unknown authority", "presented: ", "expected: one signed by "}},
		{"no authority", with(func(c *cluster.Connection) { c.ClusterCACertificate, c.Token = "", "s3cret-nonsense" }), certificate, []string{"no cluster_ca_certificate"}},
		{"wrong name", with(func(c *cluster.Connection) { c.TLSServerName, c.Token = "other.example.org", "s3cret-nonsense" }), certificate, []string{"not valid for the name", "other.example.org", site.ServerName}},
		{"exec plugin that fails", with(func(c *cluster.Connection) {
			c.Exec = &cluster.Exec{
				APIVersion: "client.authentication.k8s.io/v1", Command: "/bin/sh",
				Args: []string{"-c", "echo please log in first, $SECRET >&2; exit 3"}, Env: map[string]string{"SECRET": "s3cret-nonsense"},
			}
		}), credentials, []string{"exit code 3", "please log in first, (secret)"}},
		{"exec plugin that is not there", with(func(c *cluster.Connection) {
			c.Exec = &cluster.Exec{APIVersion: "client.authentication.k8s.io/v1", Command: "no-such-plugin"}
		}), credentials, []string{"no-such-plugin not found"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := connect(t, test.conn)
			if err == nil || !test.kind(err) {
				t.Fatalf("got %T: %v", err, err)
			}
			for _, text := range test.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "s3cret-nonsense") || strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("a secret is in %q", err)
			}
		})
	}
	t.Run("forbidden", func(t *testing.T) {
		client, err := connect(t, with(func(c *cluster.Connection) { c.Token = site.ServiceAccount(t, namespace) }))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.UID(t.Context())
		var forbidden *cluster.ForbiddenError
		if !errors.As(err, &forbidden) || !strings.Contains(err.Error(), `cannot get resource "namespaces"`) {
			t.Errorf("got %T: %v", err, err)
		}
	})
}
