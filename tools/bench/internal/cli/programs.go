package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
)

// findTerraform finds the Terraform to run: the given one, FLEET_TERRAFORM's, or the one on PATH.
func findTerraform(given string) (string, error) {
	for _, name := range []string{given, os.Getenv("FLEET_TERRAFORM")} {
		if name != "" {
			return exec.LookPath(name)
		}
	}
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", errors.New("there is neither Terraform nor OpenTofu on PATH: give -terraform, or FLEET_TERRAFORM=$(make tofu)")
}

// prepare builds what a benchmark runs, into a directory that clean removes.
func (o *options) prepare(ctx context.Context) (programs contest.Programs, clean func() error, err error) {
	dir, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return programs, nil, err
	}
	o.say("building the provider")
	if o.provider, err = o.provide(ctx, dir); err == nil {
		programs, err = o.programs(ctx, dir)
	}
	if err != nil {
		return programs, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return programs, func() error { return os.RemoveAll(dir) }, nil
}

// programs builds the launcher into a directory, and returns the programs that a workspace needs.
func (o *options) programs(ctx context.Context, dir string) (contest.Programs, error) {
	path := filepath.Join(dir, "launcher")
	cmd := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(o.root, "tools", "bench"), "-o", path, "./launcher")
	if out, err := cmd.CombinedOutput(); err != nil {
		return contest.Programs{}, fmt.Errorf("building the launcher: %w\n%s", err, out)
	}
	return contest.Programs{Terraform: o.terraform, Launcher: path}, nil
}

// provide returns the path of the provider's program, and builds it first unless one was given.
func (o *options) provide(ctx context.Context, dir string, buildArgs ...string) (string, error) {
	if o.provider != "" {
		return filepath.Abs(o.provider)
	}
	path := filepath.Join(dir, config.Fleet.Program())
	args := append([]string{"build", "-C", o.root, "-o", path}, buildArgs...)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the provider: %w\n%s", err, out)
	}
	return path, nil
}

// publish prints sections, and pastes them between the markers of a name into the page that -markdown named.
func (o *options) publish(ctx context.Context, name, fleet string, sections []report.Section) error {
	machine := report.Describe(ctx, o.terraform, o.root, o.start)
	machine.Fleet = fleet
	for _, line := range machine.Lines() {
		if _, err := fmt.Fprintln(o.out, line); err != nil {
			return err
		}
	}
	if err := report.Text(o.out, sections); err != nil {
		return err
	}
	if o.markdown == "" {
		return nil
	}
	page, err := os.ReadFile(o.markdown)
	if err != nil {
		return err
	}
	content := ""
	for _, line := range machine.Lines() {
		content += "- " + line + "\n"
	}
	pasted, err := report.Paste(string(page), name, "\n"+content+"\n"+report.Markdown(sections)+"\n")
	if err != nil {
		return fmt.Errorf("%s: %w", o.markdown, err)
	}
	return os.WriteFile(o.markdown, []byte(pasted), 0o644)
}
