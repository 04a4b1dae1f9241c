package fleets

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// describe writes a fleet.json and returns its directory.
func describe(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const realFleet = `{"kubeconfig": "/f/kubeconfig", "clusters": [
	{"name": "eu-1", "version": "v1.36.3", "auditLog": "/f/eu-1/audit.log"}, {"name": "us-1", "version": "v1.34.4", "auditLog": "/f/us-1/audit.log"}]}`

func TestOpen(t *testing.T) {
	fleet, err := Open(describe(t, realFleet))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"eu-1", "us-1"}, fleet.Clusters); diff != "" || !strings.Contains(fleet.About, "v1.36.3, v1.34.4") {
		t.Errorf("clusters (-want +got):\n%s, about %q", diff, fleet.About)
	}
	part, err := fleet.First(1)
	if err != nil || len(part.Clusters) != 1 || len(part.logs) != 1 {
		t.Errorf("the first: %+v (%v)", part, err)
	}
	if _, err := fleet.First(3); err == nil || !strings.Contains(err.Error(), "2 clusters, and 3") {
		t.Errorf("error %v, want one with both numbers", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a fleet in an empty directory")
	}
}

func TestSimulated(t *testing.T) {
	var asked map[string]any
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &asked); err != nil || r.Method != http.MethodPatch || r.URL.Path != "/knobs" {
			t.Errorf("%s %s %s (%v)", r.Method, r.URL, body, err)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("never"))
	}))
	defer server.Close()
	fleet, err := OpenSimulated(describe(t, fmt.Sprintf(
		`{"simulated": true, "admin": %q, "pid": %d, "kubeconfig": "/s", "clusters": [{"name": "sim-0001", "version": "v1.36.3"}, {"name": "sim-0002"}]}`, server.URL, os.Getpid())))
	if err != nil {
		t.Fatal(err)
	}
	if err := fleet.Set(t.Context(), Faults{Latency: 50 * time.Millisecond, Down: []string{"sim-0001", "sim-0002"}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"latency": "50ms", "down": "sim-0001,sim-0002", "downMode": "hang", "errorRate": 0.0}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	status = http.StatusBadRequest
	if err := fleet.Set(t.Context(), Faults{}); err == nil || !strings.Contains(err.Error(), "never") {
		t.Errorf("error %v, want one with the answer", err)
	}
	if _, err := OpenSimulated(describe(t, realFleet)); err == nil || !strings.Contains(err.Error(), "not a simulated one") {
		t.Errorf("error %v for real clusters", err)
	}
}

func TestCPUOf(t *testing.T) {
	stat := "4711 (fleet (sim)) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9 0 100"
	if got := cpuOf(stat); got != 2*time.Second {
		t.Errorf("CPU %s, want 2s", got)
	}
	if got := cpuOf("nonsense"); got != 0 {
		t.Errorf("CPU %s of nonsense", got)
	}
}
