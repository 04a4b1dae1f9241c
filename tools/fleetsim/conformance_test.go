package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/apiserver"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/endpoint"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/replay"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// The recordings are what a real API server answered; README.md says how to make them anew.
const (
	recordings = "testdata/recordings"
	scripts    = "testdata/scripts"
)

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// TestReplay compares a simulated cluster with what a real API server answered to the same requests.
func TestReplay(t *testing.T) {
	api, err := apiserver.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range files(t, recordings, ".json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recording, err := replay.Load(file, replay.Name)
			if err != nil {
				t.Fatal(err)
			}
			check(t, simulated(t, api), recording)
		})
	}
}

// TestAccReplay compares the recordings with a real API server of today.
func TestAccReplay(t *testing.T) {
	target := actual(t)
	for name, file := range files(t, recordings, ".json") {
		t.Run(name, func(t *testing.T) {
			recording, err := replay.Load(file, newName())
			if err != nil {
				t.Fatal(err)
			}
			check(t, target, recording)
		})
	}
}

// TestAccRecord makes the recordings of the scripts anew.
func TestAccRecord(t *testing.T) {
	if os.Getenv("FLEETSIM_RECORD") == "" {
		t.Skip("this makes recordings anew; set FLEETSIM_RECORD=1")
	}
	target := actual(t)
	for name, file := range files(t, scripts, ".yaml") {
		t.Run(name, func(t *testing.T) {
			unique := newName()
			exchanges, err := replay.Run(t.Context(), target, file, unique)
			if err != nil {
				t.Fatal(err)
			}
			if err := replay.Save(filepath.Join(recordings, name+".json"), unique, exchanges); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func check(t *testing.T, target replay.Target, recording []replay.Exchange) {
	t.Helper()
	differences, err := replay.Replay(t.Context(), target, recording)
	if err != nil {
		t.Error(err)
	}
	for _, d := range differences {
		t.Error(d)
	}
}

// simulated is a cluster of its own.
func simulated(t *testing.T, api *apiserver.Server) replay.Target {
	t.Helper()
	cluster := store.NewCluster("sim-0001")
	if err := api.Bootstrap(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(endpoint.New(cluster, token, api, endpoint.NewFaults([]string{cluster.Name}, 1)))
	t.Cleanup(server.Close)
	return replay.Target{Host: server.URL, Patience: time.Second, Client: &http.Client{Transport: bearer{http.DefaultTransport}}}
}

// token lets the tests in.
const token = "sim-0001.token"

// bearer has the token.
type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(req)
}

// actual is the first cluster of the test fleet that runs the version that is simulated.
func actual(t *testing.T) replay.Target {
	t.Helper()
	c := cluster(t)
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c.ClientCertFile, c.ClientKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return replay.Target{Host: c.Host, Patience: time.Minute, Client: &http.Client{Transport: transport}}
}

func cluster(t *testing.T) fleet.Cluster {
	t.Helper()
	dir := os.Getenv("FLEET_TEST_DIR")
	if dir == "" || os.Getenv("TF_ACC") == "" {
		t.Skip("this test needs the test fleet; set TF_ACC=1 and FLEET_TEST_DIR")
	}
	text, err := os.ReadFile(filepath.Join(dir, "fleet.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fleet.File
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Clusters {
		if c.Version == apiserver.Version {
			return c
		}
	}
	t.Skipf("no cluster of the test fleet runs Kubernetes %s, which is simulated", apiserver.Version)
	return fleet.Cluster{}
}

func files(t *testing.T, dir, ext string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	if err != nil || len(found) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	byName := map[string]string{}
	for _, file := range found {
		byName[strings.TrimSuffix(filepath.Base(file), ext)] = file
	}
	return byName
}

// newName is as long as replay.Name.
func newName() string {
	prefix, random, _ := strings.Cut(replay.Name, "-")
	return prefix + "-" + strings.ToLower(rand.Text()[:len(random)])
}
