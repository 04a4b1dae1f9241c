package contest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
)

// Programs are the paths of what is run.
type Programs struct {
	// Terraform is Terraform or OpenTofu.
	Terraform string
	// Launcher is what Terraform finds in the place of a provider.
	Launcher string
}

// Workspace is a directory that Terraform works in, with a provider whose cost is measured.
type Workspace struct {
	// Env are further environment variables of what is measured, "NAME=value".
	Env []string

	programs     Programs
	dir, records string
	provider     string
}

// NewWorkspace makes a workspace for a provider's program; an empty program is none.
func NewWorkspace(programs Programs, provider config.Provider, program string) (*Workspace, error) {
	dir, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return nil, err
	}
	w := &Workspace{programs: programs, dir: dir, records: filepath.Join(dir, "records"), provider: program}
	if err := w.prepare(provider); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// prepare has Terraform find the launcher in the provider's place.
func (w *Workspace) prepare(provider config.Provider) error {
	cliConfig := ""
	if w.provider != "" {
		plugins := w.path("plugins")
		if err := os.Mkdir(plugins, 0o700); err != nil {
			return err
		}
		if err := os.Symlink(w.programs.Launcher, filepath.Join(plugins, provider.Program())); err != nil {
			return err
		}
		cliConfig = fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", provider.Source, plugins)
	}
	return w.Write(map[string][]byte{".terraformrc": []byte(cliConfig)})
}

// Write writes files, by their names below the workspace.
func (w *Workspace) Write(files map[string][]byte) error {
	for name, content := range files {
		path := w.path(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the workspace.
func (w *Workspace) Close() error { return os.RemoveAll(w.dir) }

func (w *Workspace) path(name string) string { return filepath.Join(w.dir, name) }

// Run runs Terraform, and tells what it cost and how it ended. An exit code is no error where it is one of ok; 0 always
// is.
func (w *Workspace) Run(ctx context.Context, args []string, ok ...int) (cost usage.Cost, exit int, err error) {
	var out bytes.Buffer
	cmd := w.command(ctx, args)
	cmd.Env = append(cmd.Env, w.Env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cost, err = usage.Run(cmd, w.records)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		for _, code := range ok {
			if failed.ExitCode() == code {
				return cost, code, nil
			}
		}
	}
	if err != nil {
		return cost, 1, fmt.Errorf("terraform %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return cost, 0, nil
}

// command is Terraform with the environment of whoever runs the bench, without what would decide what it finds.
func (w *Workspace) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.programs.Terraform, args...)
	// Terraform ends its providers itself when it is interrupted; killed, it would leave them.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Dir = w.dir
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "KUBE") && !strings.HasPrefix(name, "TFC_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+w.path(".terraformrc"), "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1", "HOME="+w.dir,
		usage.EnvProvider+"="+w.provider, usage.EnvRecords+"="+w.records)
	return cmd
}

// Plan plans and keeps the plan, tells what that cost, whether there are changes, and how large the plan is as JSON.
func (w *Workspace) Plan(ctx context.Context, args ...string) (cost usage.Cost, changes bool, size int64, err error) {
	const hasChanges = 2
	cost, exit, err := w.Run(ctx, append([]string{"plan", "-no-color", "-detailed-exitcode", "-out=plan.bin"}, args...), hasChanges)
	if err != nil {
		return cost, false, 0, err
	}
	var shown counter
	var complaints bytes.Buffer
	cmd := w.command(ctx, []string{"show", "-json", "plan.bin"})
	cmd.Stdout, cmd.Stderr = &shown, &complaints
	if err := cmd.Run(); err != nil {
		return cost, false, 0, fmt.Errorf("terraform show: %w\n%s", err, complaints.String())
	}
	return cost, exit == hasChanges, int64(shown), nil
}

// StateSize is the size of the state, in bytes; 0 where there is none.
func (w *Workspace) StateSize() int64 {
	info, err := os.Stat(w.path("terraform.tfstate"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
