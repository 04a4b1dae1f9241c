package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// logBook keeps what a pool logs.
type logBook struct {
	mu      sync.Mutex
	entries []string
}

func (b *logBook) log(_ context.Context, level slog.Level, message string, fields map[string]any) {
	text, err := json.Marshal(fields)
	if err != nil {
		text = []byte(err.Error())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, fmt.Sprintf("%v %s %s", level, message, text))
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.entries, "\n")
}

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

func TestAccClient_permissions(t *testing.T) {
	site := fleettest.Get(t, "eu-1")
	rule := rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get", "list"}}
	token := site.ServiceAccount(t, fleettest.Namespace(t), rule)
	client, err := connect(t, cluster.Connection{Host: site.Host, ClusterCACertificate: site.CA(t), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	denied, err := client.Can(t.Context(), []authorizationv1.ResourceAttributes{
		{Verb: "list", Group: "apps", Resource: "deployments"},
		{Verb: "patch", Group: "apps", Resource: "deployments"},
		{Verb: "get", Resource: "namespaces", Name: "kube-system"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(denied), "[patch deployments.apps get namespaces kube-system]"; got != want {
		t.Errorf("denied %s, want %s", got, want)
	}
}

func TestAccClient_unreachable(t *testing.T) {
	site := fleettest.Get(t, "eu-1")
	unreachable := func(t *testing.T, err error, says string) {
		t.Helper()
		var want *cluster.UnreachableError
		if !errors.As(err, &want) || !strings.Contains(err.Error(), says) {
			t.Errorf("got %T: %v; want it to say %q", err, err, says)
		}
	}
	t.Run("refused, and the verdict is kept", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		pool := cluster.NewPool(cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}})
		resolved, err := pool.Resolve("x", cluster.Connection{})
		if err != nil {
			t.Fatal(err)
		}
		proxy.Refuse()
		failed := pool.Probe(t.Context(), map[string]string{"x": resolved.Access()})
		unreachable(t, failed["x"], "connection refused")
		proxy.Listen(t)
		for range 40 {
			_, err = pool.Client(t.Context(), "x", resolved.Access())
			unreachable(t, err, "connection refused")
		}
		if n := proxy.Count("", ""); n != 0 {
			t.Errorf("%d requests after the verdict", n)
		}
		pool.Forget("x")
		client, err := pool.Client(t.Context(), "x", resolved.Access())
		answers(t, site, client, err)
	})
	t.Run("silent, and forty sets wait once", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		proxy.Inject(fleettest.Fault{Delay: time.Minute})
		pool := cluster.NewPool(cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}, ConnectTimeout: 500 * time.Millisecond})
		resolved, err := pool.Resolve("x", cluster.Connection{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				_, err := pool.Client(t.Context(), "x", resolved.Access())
				unreachable(t, err, "no answer within 500ms")
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("took %s", took)
		}
		if n := proxy.Count("", ""); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
	t.Run("reset", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		proxy.Inject(fleettest.Fault{Cut: true})
		_, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}, ConnectTimeout: 2 * time.Second}, cluster.Connection{})
		unreachable(t, err, "")
	})
	t.Run("a proxy answers in its place", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		proxy.Inject(fleettest.Fault{Status: http.StatusServiceUnavailable, Body: "upstream down"})
		_, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}}, cluster.Connection{})
		unreachable(t, err, "503 Service Unavailable")
	})
	t.Run("nothing like an API server answers", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		proxy.Inject(fleettest.Fault{Status: http.StatusOK, Body: "<html>Log in</html>", ContentType: "text/html"})
		_, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}}, cluster.Connection{})
		var invalid *cluster.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("got %T: %v", err, err)
		}
	})
	t.Run("a name that does not resolve", func(t *testing.T) {
		c := admin(t, site)
		c.Host = "https://no-such-host.invalid:6443"
		_, err := connect(t, c)
		unreachable(t, err, "")
	})
	t.Run("plain HTTP", func(t *testing.T) {
		c := admin(t, site)
		c.Host = strings.Replace(site.Host, "https:", "http:", 1)
		c.ClusterCACertificate = ""
		_, err := connect(t, c)
		var invalid *cluster.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "https://") {
			t.Errorf("got %T: %v", err, err)
		}
	})
	t.Run("gone while in use", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		client, err := connectWith(t, cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}}, cluster.Connection{})
		if err != nil {
			t.Fatal(err)
		}
		proxy.Refuse()
		_, err = client.Dynamic().Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(t.Context(), metav1.ListOptions{})
		unreachable(t, client.Classify(err), "connection refused")
	})
}

func TestAccClient_requests(t *testing.T) {
	site := fleettest.Get(t, "eu-1")
	proxy := fleettest.NewProxy(t, site)
	book := &logBook{}
	pool := cluster.NewPool(cluster.Config{
		Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}, Log: book.log, UserAgent: "terraform-provider-fleet/test", MaxInFlight: 3,
	})
	resolved, err := pool.Resolve("x", cluster.Connection{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := pool.Client(t.Context(), "x", resolved.Access())
	if err != nil {
		t.Fatal(err)
	}
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

	t.Run("uid and discovery are asked for once", func(t *testing.T) {
		proxy.Forget()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := client.UID(t.Context()); err != nil {
					t.Error(err)
				}
				mapper, err := client.Mapper(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(proxy.Requests()); n != 3 {
			t.Errorf("%d requests, want 1 for the uid and 2 for discovery: %v", n, proxy.Requests())
		}
		client.Reset()
		if _, err := client.Discover(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(proxy.Requests()); n != 5 {
			t.Errorf("%d requests after a reset, want 5", n)
		}
	})
	t.Run("429 is retried when the server says", func(t *testing.T) {
		proxy.Forget()
		proxy.Inject(fleettest.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1", Times: 1})
		proxy.Inject(fleettest.Fault{Status: http.StatusTooManyRequests, Times: 1})
		if _, err := client.Dynamic().Resource(namespaces).List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Error(err)
		}
		if n := len(proxy.Requests()); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
	})
	t.Run("the requests in flight are bounded", func(t *testing.T) {
		proxy.Forget()
		proxy.Inject(fleettest.Fault{Delay: 300 * time.Millisecond})
		defer proxy.Heal()
		start := time.Now()
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() {
				if _, err := client.Dynamic().Resource(namespaces).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took < 850*time.Millisecond {
			t.Errorf("nine requests, three at a time, took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := client.Dynamic().Resource(namespaces).Get(ctx, "default", metav1.GetOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("http/2", func(t *testing.T) {
		for _, r := range proxy.Requests() {
			if r.Protocol != "HTTP/2.0" {
				t.Fatalf("%s %s came by %s", r.Method, r.Path, r.Protocol)
			}
		}
	})
	t.Run("every request is logged, no secret is", func(t *testing.T) {
		text := book.text()
		if !strings.Contains(text, `"cluster":"x"`) || !strings.Contains(text, `"object":"/api/v1/namespaces/kube-system"`) ||
			!strings.Contains(text, `"status":200`) || !strings.Contains(text, `"verb":"GET"`) {
			t.Errorf("the log lacks something:\n%s", text)
		}
		for _, secret := range []string{"PRIVATE KEY", "Authorization", "BEGIN"} {
			if strings.Contains(text, secret) {
				t.Errorf("the log contains %q", secret)
			}
		}
	})
}

func TestAccClient_credentialsLeft(t *testing.T) {
	site := fleettest.Get(t, "eu-1")
	pool := cluster.NewPool(cluster.Config{Connections: map[string]cluster.Connection{"x": admin(t, site)}})
	resolved, err := pool.Resolve("x", cluster.Connection{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = cluster.NewPool(cluster.Config{}).Client(t.Context(), "x", resolved.Access())
	var missing *cluster.MissingCredentialsError
	if !errors.As(err, &missing) || !bytes.Contains([]byte(err.Error()), []byte("client_certificate and client_key")) {
		t.Errorf("got %T: %v", err, err)
	}
	// Other credentials for the same host are as good.
	token := site.ServiceAccount(t, fleettest.Namespace(t), fleettest.AdminRules()...)
	rotated := cluster.NewPool(cluster.Config{Connections: map[string]cluster.Connection{"x": {Token: token}}})
	client, err := rotated.Client(t.Context(), "x", resolved.Access())
	answers(t, site, client, err)
}
