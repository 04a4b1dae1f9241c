package requests

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

func TestCountAudit(t *testing.T) {
	log := strings.Join([]string{
		`{"auditID":"1","stage":"ResponseComplete","verb":"get","requestURI":"/version","userAgent":"x"}`,
		`{"auditID":"2","stage":"ResponseComplete","verb":"get","requestURI":"/apis","userAgent":"x"}`,
		`{"auditID":"3","verb":"list","requestURI":"/api/v1/configmaps?labelSelector=a","userAgent":"x","objectRef":{"resource":"configmaps"}}`,
		`{"auditID":"4","verb":"patch","requestURI":"/api/v1/namespaces/n/configmaps/c?dryRun=All&fieldManager=m","userAgent":"x","objectRef":{"resource":"configmaps"}}`,
		`{"auditID":"5","verb":"patch","requestURI":"/api/v1/namespaces/n/configmaps/c?fieldManager=m","userAgent":"x","objectRef":{"resource":"configmaps"}}`,
		`{"auditID":"6","verb":"patch","requestURI":"/api/v1/namespaces/n/configmaps/c","userAgent":"fleet-bench","objectRef":{"resource":"configmaps"}}`,
		`{"auditID":"7","stage":"ResponseStarted","verb":"watch","requestURI":"/api/v1/pods","userAgent":"x","objectRef":{"resource":"pods"}}`,
		`{"auditID":"7","stage":"ResponseComplete","verb":"watch","requestURI":"/api/v1/pods","userAgent":"x","objectRef":{"resource":"pods"}}`,
	}, "\n") + "\n"
	got, err := countAudit([]byte(log))
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{Discovery: 2, "list": 1, DryRun: 1, Patch: 1, "watch": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got.Total() != 6 {
		t.Errorf("total %d, want 6", got.Total())
	}
	if _, err := countAudit([]byte("{\n")); err == nil {
		t.Error("half a line is counted")
	}
}

func TestReadFromWholeLinesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthr"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readFrom(path, 4)
	if err != nil || string(got) != "two\n" {
		t.Errorf("got %q (%v), want the second line", got, err)
	}
	if _, err := readFrom(path, 100); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("error %v, want one about a log that became shorter", err)
	}
}

const metricsText = `# HELP apiserver_request_total Counter of apiserver requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1"} 3
apiserver_request_total{code="200",dry_run="",group="apps",resource="deployments",scope="resource",subresource="",verb="APPLY",version="v1"} 4
apiserver_request_total{code="200",dry_run="All",group="apps",resource="deployments",scope="resource",subresource="",verb="APPLY",version="v1"} 5
apiserver_request_total{code="200",dry_run="",group="",resource="",scope="",subresource="/version",verb="GET",version=""} 2
apiserver_request_total{code="201",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="POST",version="v1"} 1
# TYPE process_open_fds gauge
process_open_fds 17
`

func TestMetricsCountTheDifferenceOfAllClusters(t *testing.T) {
	before := strings.Replace(metricsText, `verb="LIST",version="v1"} 3`, `verb="LIST",version="v1"} 1`, 1)
	var configs []*rest.Config
	for range 2 {
		texts := []string{before, metricsText}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/metrics" || len(texts) == 0 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write([]byte(texts[0]))
			texts = texts[1:]
		}))
		t.Cleanup(server.Close)
		configs = append(configs, &rest.Config{Host: server.URL})
	}
	m, err := NewMetrics(configs)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := m.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Counts{"list": 4}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if err := m.Begin(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want one with the answer", err)
	}
}

func TestParseMetrics(t *testing.T) {
	got, err := parseMetrics(strings.NewReader(metricsText))
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{"list": 3, Patch: 4, DryRun: 5, Discovery: 2, "create": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got, err := parseMetrics(strings.NewReader("")); err != nil || got.Total() != 0 {
		t.Errorf("no metrics: %v, %v", got, err)
	}
	if _, err := parseMetrics(strings.NewReader("}{")); err == nil {
		t.Error("nonsense parses")
	}
}

func TestVerbsAreOrdered(t *testing.T) {
	got := Verbs(Counts{"patch": 1, "zap": 1, "list": 0}, Counts{"list": 2, Discovery: 1, "delete": 0})
	if diff := cmp.Diff([]string{Discovery, "list", Patch, "zap"}, got); diff != "" {
		t.Errorf("verbs (-want +got):\n%s", diff)
	}
}
