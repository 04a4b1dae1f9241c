package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keyPair is a self-signed certificate and its key, as PEM texts.
func keyPair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// kubeconfig is a kubeconfig with the contexts name=server, all with the same user; the first one is current.
func kubeconfig(user string, contexts ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Config\n")
	var sections [2]strings.Builder
	for i, pair := range contexts {
		name, server, _ := strings.Cut(pair, "=")
		if i == 0 {
			fmt.Fprintf(&b, "current-context: %s\n", name)
		}
		fmt.Fprintf(&sections[0], "- {name: %s, cluster: {server: %q}}\n", name, server)
		fmt.Fprintf(&sections[1], "- {name: %s, context: {cluster: %s, user: u}}\n", name, name)
	}
	fmt.Fprintf(&b, "clusters:\n%scontexts:\n%susers:\n- name: u\n  user: %s\n", sections[0].String(), sections[1].String(), user)
	return b.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestResolve_merges(t *testing.T) {
	yes, no := true, false
	ca, _ := keyPair(t)
	file := write(t, "config", kubeconfig("{token: file-token}", "x=https://file:6443", "other=https://other:6443"))
	plugin := Exec{APIVersion: execVersions[0], Command: "login", Args: []string{"-q"}}

	for _, test := range []struct {
		name string
		cfg  Config
		own  Connection
		want Connection
	}{
		{
			name: "the provider's connection comes first, the kubeconfig second, the resource third",
			cfg: Config{
				Connections: map[string]Connection{"x": {Host: "https://first:6443"}},
				Kubeconfigs: map[string]string{"x": kubeconfig("{token: second-token}", "c=https://second:6443")},
			},
			own:  Connection{Host: "https://third:6443", TLSServerName: "third"},
			want: Connection{Host: "https://first:6443", Token: "second-token", TLSServerName: "third"},
		},
		{
			name: "a loopback host in a kubeconfig yields to the resource's",
			cfg:  Config{Kubeconfigs: map[string]string{"x": kubeconfig("{token: t}", "c=https://127.0.0.1:6443")}},
			own:  Connection{Host: "https://10.0.0.5:6443"},
			want: Connection{Host: "https://10.0.0.5:6443", Token: "t"},
		},
		{
			name: "a loopback host that the provider spells out does not",
			cfg:  Config{Connections: map[string]Connection{"x": {Host: "https://127.0.0.1:6443", Token: "t"}}},
			own:  Connection{Host: "https://10.0.0.5:6443"},
			want: Connection{Host: "https://127.0.0.1:6443", Token: "t"},
		},
		{
			name: "an earlier kind of credentials displaces all later ones",
			cfg:  Config{Connections: map[string]Connection{"x": {Token: "t"}}},
			own:  Connection{Host: "https://h:6443", Exec: &plugin},
			want: Connection{Host: "https://h:6443", Token: "t"},
		},
		{
			name: "the environment of exec from the provider, its command from the resource",
			cfg:  Config{Connections: map[string]Connection{"x": {Exec: &Exec{Env: map[string]string{"A": "b"}}}}},
			own:  Connection{Host: "https://h:6443", Exec: &plugin},
			want: Connection{Host: "https://h:6443", Exec: &Exec{
				APIVersion: execVersions[0], Command: "login", Args: []string{"-q"}, Env: map[string]string{"A": "b"},
			}},
		},
		{
			name: "insecure displaces a later authority, and the other way round",
			cfg:  Config{Connections: map[string]Connection{"x": {Insecure: &yes}}},
			own:  Connection{Host: "https://h:6443", ClusterCACertificate: ca},
			want: Connection{Host: "https://h:6443", Insecure: &yes},
		},
		{
			name: "an earlier insecure = false lets a later authority count",
			cfg:  Config{Connections: map[string]Connection{"x": {Insecure: &no}}},
			own:  Connection{Host: "https://h:6443", ClusterCACertificate: ca},
			want: Connection{Host: "https://h:6443", Insecure: &no, ClusterCACertificate: ca},
		},
		{
			name: "a context of the cluster's name, where nothing else names it",
			cfg:  Config{KubeconfigPaths: []string{file}},
			want: Connection{Host: "https://file:6443", Token: "file-token", KubeconfigPath: file, Context: "x"},
		},
		{
			name: "a context does not count where something else names the cluster",
			cfg:  Config{KubeconfigPaths: []string{file}, Connections: map[string]Connection{"x": {Host: "https://first:6443"}}},
			want: Connection{Host: "https://first:6443"},
		},
		{
			name: "a context chosen by name, and what is spelled out before what the file says",
			cfg:  Config{KubeconfigPaths: []string{file}, Connections: map[string]Connection{"x": {Token: "t"}}},
			own:  Connection{Context: "other", Host: "https://third:6443"},
			want: Connection{Host: "https://third:6443", Token: "t", KubeconfigPath: file, Context: "other"},
		},
		{
			name: "a file the provider names comes before what the resource spells out",
			cfg:  Config{Connections: map[string]Connection{"x": {KubeconfigPath: file, Context: "other"}}},
			own:  Connection{Host: "https://third:6443", TLSServerName: "third"},
			want: Connection{Host: "https://other:6443", Token: "file-token", KubeconfigPath: file, Context: "other", TLSServerName: "third"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			resolved, err := NewPool(test.cfg).Resolve("x", test.own)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, resolved.m.Connection, cmp.AllowUnexported(Exec{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			// An access text stands in for the resource: merged again, it comes to the same connection.
			again, err := NewPool(test.cfg).merge("x", resolved.Access())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(resolved.m.Connection, again.Connection, cmp.AllowUnexported(Exec{})); diff != "" {
				t.Errorf("after its access text (-want +got)\n%s", diff)
			}
		})
	}
}

func TestResolve_unknown(t *testing.T) {
	known := map[string]Connection{"x": {Host: "https://h:6443"}}
	for _, test := range []struct {
		name   string
		cfg    Config
		own    Connection
		source string
	}{
		{"everything", Config{AllUnknown: true}, Connection{Host: "https://h:6443"}, "the provider's configuration"},
		{"all connections", Config{ConnectionsUnknown: true}, Connection{Host: "https://h:6443"}, "provider connections"},
		{"one connection", Config{Connections: known, UnknownConnections: map[string]bool{"x": true}}, Connection{}, `provider connections["x"]`},
		{"all kubeconfigs, though there is a connection", Config{Connections: known, KubeconfigsUnknown: true}, Connection{}, "provider kubeconfigs"},
		{"one kubeconfig", Config{Connections: known, UnknownKubeconfigs: map[string]bool{"x": true}}, Connection{}, `provider kubeconfigs["x"]`},
		{"the paths, where only they could name it", Config{KubeconfigPathsUnknown: true}, Connection{}, "provider kubeconfig_paths"},
		{"the paths, where a context is in them", Config{KubeconfigPathsUnknown: true}, Connection{Context: "other"}, "provider kubeconfig_paths"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pool := NewPool(test.cfg)
			_, err := pool.Resolve("x", test.own)
			var unknown *UnknownError
			if !errors.As(err, &unknown) || unknown.Source != test.source {
				t.Errorf("got %v, want the source %s", err, test.source)
			}
			if test.own.IsZero() && !pool.Unknown("x") {
				t.Error("Unknown does not say so")
			}
		})
	}
	t.Run("unknown paths do not matter where something else names the cluster", func(t *testing.T) {
		if _, err := NewPool(Config{Connections: known, KubeconfigPathsUnknown: true}).Resolve("x", Connection{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("another cluster's unknown connection does not matter", func(t *testing.T) {
		if _, err := NewPool(Config{Connections: known, UnknownConnections: map[string]bool{"y": true}}).Resolve("x", Connection{}); err != nil {
			t.Error(err)
		}
	})
}

func TestResolve_notConfigured(t *testing.T) {
	file := write(t, "config", kubeconfig("{token: t}", "eu-1=https://a", "eu-2=https://b", "kind-dev=https://c"))
	pool := NewPool(Config{
		Connections:     map[string]Connection{"eu-1": {Host: "https://a"}, "eu-2": {Host: "https://b"}},
		KubeconfigPaths: []string{file, "/does/not/exist"},
	})
	_, err := pool.Resolve("eu-9", Connection{})
	var notConfigured *NotConfiguredError
	if !errors.As(err, &notConfigured) {
		t.Fatalf("got %T: %v", err, err)
	}
	want := "Looked in: provider connections (eu-1, eu-2), provider kubeconfigs (none), the resource's connect (not set), contexts of " +
		file + " (eu-1, eu-2, kind-dev), contexts of /does/not/exist (no such file). Did you mean \"eu-1\"?"
	if got := notConfigured.Places(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := pool.Resolve("production", Connection{}); strings.Contains(err.Error(), "Did you mean") {
		t.Errorf("a far-fetched suggestion: %v", err)
	}
}

func TestResolve_invalid(t *testing.T) {
	ca, key := keyPair(t)
	_, otherKey := keyPair(t)
	yes := true
	file := write(t, "config", kubeconfig("{token: t}", "a=https://a", "b=https://b"))
	broken := write(t, "broken", "apiVersion: v1\nusers:\n- name: u\n  user: {token: \"s3cret}\n")
	connection := func(c Connection) Config { return Config{Connections: map[string]Connection{"x": c}} }
	for _, test := range []struct {
		name      string
		cfg       Config
		own       Connection
		attribute string
		says      string
	}{
		{"a kubeconfig that is no YAML", Config{Kubeconfigs: map[string]string{"x": "a: b: s3cret\n  - {"}}, Connection{}, "", "does not parse as a kubeconfig"},
		{"a kubeconfig that is something else", Config{Kubeconfigs: map[string]string{"x": "s3cret"}}, Connection{}, "", "kubeconfig"},
		{"an empty kubeconfig", Config{Kubeconfigs: map[string]string{"x": ""}}, Connection{}, "", "no contexts"},
		{"a kubeconfig file that does not parse", Config{KubeconfigPaths: []string{broken}}, Connection{}, "", "does not parse as a kubeconfig"},
		{"a file that is not there", connection(Connection{KubeconfigPath: "/does/not/exist"}), Connection{}, "kubeconfig_path", "/does/not/exist: no such file"},
		{"a context that is not there", Config{}, Connection{KubeconfigPath: file, Context: "c"}, "kubeconfig_path", `there is no context "c"; there are: a, b`},
		{"a context and no file to look into", Config{}, Connection{Context: "c"}, "context", "neither a kubeconfig_path"},
		{"no host", connection(Connection{Token: "s3cret"}), Connection{}, "host", "No place gives a host"},
		{"a host that is no URL", connection(Connection{Host: "10.0.0.1:6443"}), Connection{}, "host", "is not a URL"},
		{"a host with a password", connection(Connection{Host: "https://u:s3cret@h"}), Connection{}, "host", "password"},
		{"exec and token", connection(Connection{Host: "https://h", Exec: &Exec{Command: "c"}, Token: "s3cret"}), Connection{}, "exec", "exclude each other"},
		{"exec without a command", Config{}, Connection{Host: "https://h", Exec: &Exec{APIVersion: execVersions[0]}}, "exec.command", "no command"},
		{"exec with another version", connection(Connection{Host: "https://h", Exec: &Exec{APIVersion: "v1alpha1", Command: "c"}}), Connection{}, "exec.api_version", "v1alpha1"},
		{"insecure with an authority", connection(Connection{Host: "https://h", Insecure: &yes, ClusterCACertificate: ca}), Connection{}, "insecure", "exclude each other"},
		{"an authority that is no PEM", connection(Connection{Host: "https://h", ClusterCACertificate: "s3cret"}), Connection{}, "cluster_ca_certificate", "no PEM certificate"},
		{"an authority in base64", connection(Connection{Host: "https://h", ClusterCACertificate: base64.StdEncoding.EncodeToString([]byte(ca))}), Connection{}, "cluster_ca_certificate", "base64decode()"},
		{"an authority that is a path", connection(Connection{Host: "https://h", ClusterCACertificate: "/etc/ca.crt"}), Connection{}, "cluster_ca_certificate", "file()"},
		{"a certificate without its key", connection(Connection{Host: "https://h", ClientCertificate: ca}), Connection{}, "client_key", "no client_key"},
		{"another certificate's key", connection(Connection{Host: "https://h", ClientCertificate: ca, ClientKey: otherKey}), Connection{}, "client_key", "does not belong"},
		{"a proxy that is no URL", connection(Connection{Host: "https://h", ProxyURL: "s3cret:3128"}), Connection{}, "proxy_url", "not a URL"},
		{"in_cluster outside of a cluster", connection(Connection{InCluster: &yes}), Connection{}, "in_cluster", "does not run in a cluster"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewPool(test.cfg).Resolve("x", test.own)
			var invalid *InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %T: %v", err, err)
			}
			if invalid.Attribute != test.attribute || !strings.Contains(invalid.Problem, test.says) {
				t.Errorf("got %q: %q; want %q: %q", invalid.Attribute, invalid.Problem, test.attribute, test.says)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), key) {
				t.Errorf("a secret is in %q", err)
			}
		})
	}
}
