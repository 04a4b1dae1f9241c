package report

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is what a measurement was made on and with.
type Machine struct {
	CPUs                 int
	Model                string
	Memory               int64
	Go, Terraform        string
	Commit               string
	Command, Time, Fleet string
}

// Describe finds out about this machine. What it cannot tell is said to be unknown.
func Describe(ctx context.Context, terraform, root string, now time.Time) Machine {
	m := Machine{
		CPUs: runtime.NumCPU(), Model: "unknown processor", Go: runtime.Version(), Terraform: "unknown", Commit: "unknown",
		Command: strings.Join(append([]string{"bench"}, os.Args[1:]...), " "), Time: now.UTC().Format("2006-01-02 15:04 MST"),
	}
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model := field(string(content), "model name"); model != "" {
			m.Model = model
		}
	}
	if content, err := os.ReadFile("/proc/meminfo"); err == nil {
		kib, _ := strconv.ParseInt(strings.TrimSuffix(field(string(content), "MemTotal"), " kB"), 10, 64)
		m.Memory = kib * 1024
	}
	if out, err := exec.CommandContext(ctx, terraform, "version", "-json").Output(); err == nil {
		m.Terraform = version(terraform, out)
	}
	git := exec.CommandContext(ctx, "git", "-C", root, "describe", "--always", "--dirty=, with changes")
	if out, err := git.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// Lines say it, one thing a line.
func (m Machine) Lines() []string {
	return []string{
		fmt.Sprintf("%s, commit %s: `%s`", m.Time, m.Commit, m.Command),
		fmt.Sprintf("%d × %s, %s of memory, which the clusters, Terraform and the contestants share", m.CPUs, m.Model, Bytes(m.Memory)),
		fmt.Sprintf("%s, %s; %s", m.Go, m.Terraform, m.Fleet),
	}
}

// field is the value of the first line "name : value".
func field(text, name string) string {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// version reads what `terraform version -json` prints. OpenTofu prints the same, so it is told by the program's name.
func version(program string, out []byte) string {
	var parsed struct {
		TerraformVersion string `json:"terraform_version"`
	}
	if err := json.Unmarshal(out, &parsed); err != nil || parsed.TerraformVersion == "" {
		return "unknown"
	}
	if strings.Contains(filepath.Base(program), "tofu") {
		return "OpenTofu " + parsed.TerraformVersion
	}
	return "Terraform " + parsed.TerraformVersion
}
