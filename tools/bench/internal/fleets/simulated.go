package fleets

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/floor"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
)

// Simulated is a fleet of tools/fleetsim, whose clusters can be made slow and let down.
type Simulated struct {
	Fleet
	// admin is the URL of its knobs; pid is the process that serves all clusters.
	admin string
	pid   int
}

// Faults are what is wrong with a simulated fleet. The zero value is that nothing is.
type Faults struct {
	// Latency is for how long each request waits.
	Latency time.Duration
	// Down are the clusters that do not answer: they let clients connect, and that is all.
	Down []string
}

// UpSimulated serves n simulated clusters with the program of tools/fleetsim, whose progress goes to say. They live
// until down is called.
func UpSimulated(ctx context.Context, fleetsim string, n int, say io.Writer) (fleet *Simulated, down func() error, err error) {
	dir, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return nil, nil, err
	}
	// Not bound to ctx: what runs on the clusters is to end before they do.
	cmd := exec.Command(fleetsim, "up", "--dir", dir, "--clusters", strconv.Itoa(n))
	cmd.Stderr = say
	// In a group of its own, so that an interrupt in a terminal reaches it through down only.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("serving a simulated fleet: %w (go build -C tools/fleetsim -o ../../build/ . builds the program)", err)
	}
	down = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		return errors.Join(cmd.Wait(), os.RemoveAll(dir))
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })()
	if lines := bufio.NewScanner(ready); !lines.Scan() || lines.Text() != "ready" {
		return nil, nil, errors.Join(errors.New("the simulated fleet did not come up"), ctx.Err(), down())
	}
	fleet, err = OpenSimulated(dir)
	if err != nil {
		return nil, nil, errors.Join(err, down())
	}
	return fleet, down, nil
}

// OpenSimulated finds the fleet that fleetsim serves and describes in a directory.
func OpenSimulated(dir string) (*Simulated, error) {
	content, err := os.ReadFile(filepath.Join(dir, "fleet.json"))
	if err != nil {
		return nil, fmt.Errorf("no simulated fleet is up in %s: %w (fleetsim up --dir %s --clusters 1000 serves one)", dir, err, dir)
	}
	var described struct {
		Kubeconfig, Admin string
		Simulated         bool
		PID               int
		Clusters          []struct{ Name, Version string }
	}
	if err := json.Unmarshal(content, &described); err != nil {
		return nil, fmt.Errorf("reading fleet.json: %w", err)
	}
	if !described.Simulated || len(described.Clusters) == 0 {
		return nil, fmt.Errorf("the fleet in %s is not a simulated one", dir)
	}
	s := &Simulated{admin: described.Admin, pid: described.PID}
	s.Kubeconfig = described.Kubeconfig
	for _, cluster := range described.Clusters {
		s.Clusters = append(s.Clusters, cluster.Name)
	}
	s.About = "API servers simulated in one process, of version " + described.Clusters[0].Version
	return s, nil
}

// Counter counts the requests to a part of the fleet.
func (s *Simulated) Counter(part *Fleet) (requests.Counter, error) {
	configs, err := floor.Configs(part.Kubeconfig, part.Clusters, requests.UserAgent)
	if err != nil {
		return nil, err
	}
	return requests.NewMetrics(configs)
}

// Set makes exactly these faults, and undoes all others.
func (s *Simulated) Set(ctx context.Context, faults Faults) (err error) {
	knobs, err := json.Marshal(map[string]any{
		"latency": faults.Latency.String(), "down": strings.Join(faults.Down, ","), "downMode": "hang", "errorRate": 0,
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, s.admin+"/knobs", bytes.NewReader(knobs))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("setting the simulated fleet's faults: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(response.Body)
		return fmt.Errorf("the simulated fleet refuses the faults %s: %s: %s", knobs, response.Status, answer)
	}
	return nil
}

// CPU is the processor time that the simulation has used so far; 0 where the system does not tell.
func (s *Simulated) CPU() time.Duration {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0
	}
	return cpuOf(string(content))
}

// cpuOf reads user and system time from the text of /proc/PID/stat.
func cpuOf(stat string) time.Duration {
	// The second field is the program's name in parentheses, which may have anything in it.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const user, system, tick = 11, 12, 10 * time.Millisecond // a tick is 1/100 s on every Linux that Go runs on
	if len(fields) <= system {
		return 0
	}
	var total time.Duration
	for _, field := range []string{fields[user], fields[system]} {
		ticks, _ := strconv.ParseInt(field, 10, 64)
		total += time.Duration(ticks) * tick
	}
	return total
}
