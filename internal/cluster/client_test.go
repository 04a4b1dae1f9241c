package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	t.Run("asked for some time", func(t *testing.T) {
		proxy := fleettest.NewProxy(t, site)
		proxy.Inject(fleettest.Fault{Status: http.StatusServiceUnavailable, Times: 2})
		config := cluster.Config{Kubeconfigs: map[string]string{"x": proxy.Kubeconfig(t)}, UnreachableAfter: 300 * time.Millisecond}
		client, err := connectWith(t, config, cluster.Connection{})
		answers(t, site, client, err)

		proxy.Inject(fleettest.Fault{Status: http.StatusServiceUnavailable})
		proxy.Forget()
		_, err = connectWith(t, config, cluster.Connection{})
		unreachable(t, err, "times in 300ms)")
		if n := proxy.Count("", ""); n < 3 {
			t.Errorf("%d requests, want at least 3", n)
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
	t.Run("503 is retried for a while", func(t *testing.T) {
		list := func() error {
			proxy.Forget()
			_, err := client.Dynamic().Resource(namespaces).List(t.Context(), metav1.ListOptions{})
			return err
		}
		proxy.Inject(fleettest.Fault{Status: http.StatusServiceUnavailable, Times: 2})
		if err := list(); err != nil || len(proxy.Requests()) != 3 {
			t.Errorf("%v after %d requests, want none after 3", err, len(proxy.Requests()))
		}
		proxy.Inject(fleettest.Fault{Status: http.StatusServiceUnavailable, Times: 100})
		for range 2 {
			if err := list(); err == nil || len(proxy.Requests()) != 5 {
				t.Errorf("%v after %d requests, want an error after 5", err, len(proxy.Requests()))
			}
		}
		proxy.Heal()
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
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "client_certificate and client_key") {
		t.Errorf("got %T: %v", err, err)
	}
	// Other credentials for the same host are as good.
	token := site.ServiceAccount(t, fleettest.Namespace(t), fleettest.AdminRules()...)
	rotated := cluster.NewPool(cluster.Config{Connections: map[string]cluster.Connection{"x": {Token: token}}})
	client, err := rotated.Client(t.Context(), "x", resolved.Access())
	answers(t, site, client, err)
}
