package fleettest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// fleetFile is what this package reads of fleet.json.
type fleetFile struct {
	Kubeconfig string     `json:"kubeconfig"`
	Kubectl    string     `json:"kubectl"`
	Clusters   []*Cluster `json:"clusters"`
}

var fleet struct {
	once sync.Once
	dir  string
	file fleetFile
	err  error
	stop func() error
}

// Main runs the tests and takes down what they started.
func Main(m *testing.M) {
	code := m.Run()
	if err := cleanUp(); err != nil {
		fmt.Fprintf(os.Stderr, "cleaning up: %v\n", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func cleanUp() error {
	var errs []error
	if fleet.stop != nil {
		errs = append(errs, fleet.stop())
	}
	if provider.dir != "" {
		errs = append(errs, os.RemoveAll(provider.dir))
	}
	return errors.Join(errs...)
}

// Require skips the test unless TF_ACC is set, and sees to it that the fleet is up.
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("this test needs the test fleet; set TF_ACC=1")
	}
	fleet.once.Do(func() { fleet.err = up() })
	if fleet.err != nil {
		t.Fatalf("the test fleet: %v", fleet.err)
	}
}

// Clusters are the clusters of the fleet: eu-1 and eu-2 on one Kubernetes version and us-1 on an older one, unless the
// fleet in FLEET_TEST_DIR is another.
func Clusters(t testing.TB) []*Cluster {
	t.Helper()
	Require(t)
	return fleet.file.Clusters
}

// Get is one cluster of the fleet, by its name.
func Get(t testing.TB, name string) *Cluster {
	t.Helper()
	for _, c := range Clusters(t) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the test fleet has no cluster %q", name)
	return nil
}

// Kubeconfig is a kubeconfig file with a context per cluster, named like it.
func Kubeconfig(t testing.TB) string {
	t.Helper()
	Require(t)
	return fleet.file.Kubeconfig
}

// Kubectl is the program kubectl that was built with the fleet.
func Kubectl(t testing.TB) string {
	t.Helper()
	Require(t)
	return fleet.file.Kubectl
}

// root is the repository.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

func up() error {
	if dir := os.Getenv("FLEET_TEST_DIR"); dir != "" {
		fleet.dir = dir
		return load()
	}
	dir, err := os.MkdirTemp("", "fleettest-")
	if err != nil {
		return err
	}
	program, err := controlplane()
	if err != nil {
		return err
	}
	fleet.dir = filepath.Join(dir, "fleet")
	cmd := exec.Command(program, "up", "--attach", "--dir", fleet.dir)
	cmd.Stderr = os.Stderr
	// The fleet lives for as long as this pipe, and so at most as long as this process.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	fleet.stop = func() error {
		return errors.Join(stdin.Close(), cmd.Wait(), os.RemoveAll(dir))
	}
	ready := make(chan error, 1)
	go func() { ready <- waitForReady(stdout) }()
	select {
	case err := <-ready:
		if err != nil {
			return err
		}
	case <-time.After(30 * time.Minute):
		// Building the programs for the first time takes long; this is far beyond.
		return errors.New("not ready after 30 minutes")
	}
	return load()
}

func waitForReady(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "ready" {
			return nil
		}
	}
	return fmt.Errorf("controlplane up ended before the fleet was ready: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

func load() error {
	text, err := os.ReadFile(filepath.Join(fleet.dir, "fleet.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &fleet.file); err != nil {
		return err
	}
	if len(fleet.file.Clusters) == 0 {
		return fmt.Errorf("%s has no clusters", fleet.dir)
	}
	return nil
}

// controlplane is the program that runs the fleet, built when it is not there.
var controlplane = sync.OnceValues(func() (string, error) {
	program := filepath.Join(root(), "build", "controlplane")
	if _, err := os.Stat(program); err == nil && os.Getenv("FLEET_TEST_DIR") != "" {
		return program, nil
	}
	out, err := exec.Command("go", "build", "-C", filepath.Join(root(), "tools", "controlplane"), "-o", program, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building controlplane: %w\n%s", err, out)
	}
	return program, nil
})

func control(t testing.TB, args ...string) {
	t.Helper()
	program, err := controlplane()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, append(args, "--dir", fleet.dir)...).CombinedOutput()
	if err != nil {
		t.Fatalf("controlplane %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
