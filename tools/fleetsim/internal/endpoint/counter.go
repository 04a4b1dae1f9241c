package endpoint

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/metrics"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// labels are those of the real API server's metric.
var labels = []string{"verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component", "code"}

// counter counts one cluster's requests as the real API server does.
type counter struct {
	http.Handler
	total *prometheus.CounterVec
}

func newCounter() *counter {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apiserver_request_total",
		Help: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
	}, labels)
	registry := prometheus.NewRegistry()
	registry.MustRegister(total)
	return &counter{Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), total: total}
}

// count counts an answer. Of what is not about resources, the real API server counts the two documents of discovery and its health only.
func (c *counter) count(req *http.Request, info *request.RequestInfo, status int) {
	code := strconv.Itoa(status)
	switch path := strings.TrimSuffix(req.URL.Path, "/"); {
	case info != nil && info.IsResourceRequest:
		scope := metrics.CleanScope(info)
		verb := metrics.CleanVerb(metrics.CanonicalVerb(req.Method, scope), req, info)
		c.total.WithLabelValues(verb, dryRun(req), info.APIGroup, info.APIVersion, info.Resource, info.Subresource, scope, metrics.APIServerComponent, code).Inc()
	case path == "/api", path == "/apis":
		c.total.WithLabelValues(req.Method, "", "", "", "", path[1:], "", metrics.APIServerComponent, code).Inc()
	case path == "/readyz", path == "/livez", path == "/healthz":
		c.total.WithLabelValues(req.Method, "", "", "", "", path, "", "", code).Inc()
	}
}

func dryRun(req *http.Request) string {
	if !strings.Contains(req.URL.RawQuery, "dryRun") {
		return ""
	}
	if all := req.URL.Query()["dryRun"]; len(all) == 1 && all[0] == metav1.DryRunAll {
		return metav1.DryRunAll
	}
	return "invalid"
}
