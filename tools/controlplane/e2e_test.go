package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// These tests start real clusters, and build them if need be. They run when
// TF_ACC is set.

var binDir string

func TestMain(m *testing.M) {
	os.Exit(func() (code int) {
		var err error
		if binDir, err = os.MkdirTemp("", "controlplane"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() {
			if err := os.RemoveAll(binDir); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}()
		return m.Run()
	}())
}

var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binDir, "controlplane")
	output, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(output))
	}
	return path, nil
})

// rig is a directory for one fleet, and the program to work on it.
type rig struct {
	t         *testing.T
	program   string
	dir       string
	extraEnvs []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("set TF_ACC=1 to start real clusters")
	}
	path, err := program()
	if err != nil {
		t.Fatalf("building controlplane: %v", err)
	}
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, program: path, dir: filepath.Join(base, "fleet")}
	t.Cleanup(func() {
		r.run("down", 0)
		r.expectNothingLeft()
	})
	return r
}

// run runs a command to its end and returns what it printed.
func (r *rig) run(command string, code int) string {
	r.t.Helper()
	cmd := r.command(command)
	output, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	r.t.Logf("controlplane %s\n%s", command, output)
	if got := cmd.ProcessState.ExitCode(); got != code {
		r.t.Fatalf("controlplane %s: exit code %d, want %d\n%s", command, got, code, output)
	}
	return string(output)
}

func (r *rig) command(command string) *exec.Cmd {
	cmd := exec.Command(r.program, append(strings.Fields(command), "--dir", r.dir)...)
	cmd.Env = append(os.Environ(), r.extraEnvs...)
	return cmd
}

// background is a running command.
type background struct {
	*exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
	stderr *bytes.Buffer
	t      *testing.T
}

func (r *rig) start(command string) *background {
	r.t.Helper()
	b := &background{Cmd: r.command(command), stderr: &bytes.Buffer{}, t: r.t}
	b.Stderr = b.stderr
	stdin, err := b.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdout, err := b.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	b.stdin, b.stdout = stdin, bufio.NewScanner(stdout)
	if err := b.Start(); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (b *background) waitReady() {
	b.t.Helper()
	if !b.stdout.Scan() || b.stdout.Text() != "ready" {
		b.end()
		b.t.Fatalf("got %q, want ready\n%s", b.stdout.Text(), b.stderr)
	}
}

// end waits for the command and returns its exit code.
func (b *background) end() int {
	b.t.Helper()
	if err := b.Wait(); err != nil && b.ProcessState == nil {
		b.t.Fatal(err)
	}
	b.t.Logf("%s\n%s", strings.Join(b.Args, " "), b.stderr)
	return b.ProcessState.ExitCode()
}

func (b *background) signal(signal syscall.Signal) {
	b.t.Helper()
	if err := b.Process.Signal(signal); err != nil {
		b.t.Fatal(err)
	}
}

// running lists the command lines of the processes that work on the fleet.
func (r *rig) running() []string {
	r.t.Helper()
	all, err := process.Processes()
	if err != nil {
		r.t.Fatal(err)
	}
	var found []string
	for _, one := range all {
		line, err := one.Cmdline()
		if err == nil && strings.Contains(line, r.dir+"/") {
			found = append(found, line)
		}
	}
	return found
}

func (r *rig) expectNothingLeft() {
	r.t.Helper()
	if left := r.running(); len(left) > 0 {
		r.t.Errorf("processes left:\n%s", strings.Join(left, "\n"))
	}
	if _, err := os.Stat(r.dir); !errors.Is(err, os.ErrNotExist) {
		r.t.Errorf("%s is still there (%v)", r.dir, err)
	}
}

// waitUntil waits for something that takes seconds at most.
func (r *rig) waitUntil(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited a minute for %s", what)
		}
	}
}

func (r *rig) waitForProgram(name string) {
	r.t.Helper()
	r.waitUntil(name+" to run", func() bool {
		for _, line := range r.running() {
			if strings.Contains(line, "/"+name+" ") {
				return true
			}
		}
		return false
	})
}

// description is what these tests use of fleet.json.
type description struct {
	Kubeconfig, Kubectl string
	Clusters            []struct {
		Name, Version, Minor, Host, State string
		AuditLog                          string
		Ports                             struct{ API int }
		PIDs                              map[string]int
	}
}

func (r *rig) describe() description {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, "fleet.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(content, &d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

// kubectl runs kubectl against one cluster and returns its output.
func (r *rig) kubectl(cluster, command string) string {
	r.t.Helper()
	d := r.describe()
	args := append([]string{"--kubeconfig", d.Kubeconfig, "--context", cluster}, strings.Fields(command)...)
	output, err := exec.Command(d.Kubectl, args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("kubectl --context %s %s: %v\n%s", cluster, command, err, output)
	}
	return strings.TrimSpace(string(output))
}
