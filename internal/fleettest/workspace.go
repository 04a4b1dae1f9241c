package fleettest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
)

// ProviderAddress is the provider's address in required_providers.
const ProviderAddress = "registry.terraform.io/fleetform/fleet"

// Terraform is the Terraform to test with: FLEET_TERRAFORM, or the one on PATH, or OpenTofu.
func Terraform(t testing.TB) string {
	t.Helper()
	if cli := find("FLEET_TERRAFORM", "terraform"); cli != "" {
		return cli
	}
	return Tofu(t)
}

// Tofu is the OpenTofu to test with: FLEET_TOFU, or the one on PATH. Without one the test is skipped.
func Tofu(t testing.TB) string {
	t.Helper()
	cli := find("FLEET_TOFU", "tofu")
	if cli == "" {
		t.Skip("there is no OpenTofu; set FLEET_TOFU, or see make tofu")
	}
	return cli
}

// EachCLI runs a test with Terraform and with OpenTofu, with those of them that are there.
func EachCLI(t *testing.T, test func(t *testing.T, cli string)) {
	t.Helper()
	Require(t)
	seen := ""
	for _, one := range []struct{ name, cli string }{
		{"terraform", find("FLEET_TERRAFORM", "terraform")},
		{"tofu", find("FLEET_TOFU", "tofu")},
	} {
		if one.cli == "" || one.cli == seen {
			continue
		}
		seen = one.cli
		t.Run(one.name, func(t *testing.T) { test(t, one.cli) })
	}
	if seen == "" {
		t.Fatal("there is neither Terraform nor OpenTofu; see make tofu")
	}
}

func find(variable, name string) string {
	if cli := os.Getenv(variable); cli != "" {
		return cli
	}
	cli, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return cli
}

// Workspace is a directory with a configuration that the real command line works on.
type Workspace struct {
	t   testing.TB
	cli string
	// Dir is the directory.
	Dir string
	// Env are further environment variables, "NAME=value".
	Env []string
}

// Result is what a command did.
type Result struct {
	// Output is what it printed, standard output and standard error in their order, without colours.
	Output string
	// ExitCode is 0 when it succeeded.
	ExitCode int
}

// NewWorkspace makes an empty workspace in which the provider is the one built from this repository. It requires the
// fleet.
func NewWorkspace(t testing.TB, cli string) *Workspace {
	t.Helper()
	Require(t)
	w := &Workspace{t: t, cli: cli, Dir: t.TempDir()}
	w.Write(".terraformrc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", ProviderAddress, buildProvider(t)))
	w.Write("versions.tf", fmt.Sprintf("terraform {\n  required_providers {\n    fleet = {\n      source = %q\n    }\n  }\n}\n", ProviderAddress))
	return w
}

// Write writes a file of the configuration.
func (w *Workspace) Write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.Path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Path is the path of a file in the workspace.
func (w *Workspace) Path(name string) string { return filepath.Join(w.Dir, name) }

// Command is a command that has not run yet, for tests that interrupt it or run two at once.
func (w *Workspace) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.cli, args...)
	cmd.Dir = w.Dir
	for _, variable := range os.Environ() {
		// What the person who runs the tests has set must not decide what the tests find.
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "KUBE") && !strings.HasPrefix(name, "TFC_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+w.Path(".terraformrc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"HOME="+w.Dir)
	cmd.Env = append(cmd.Env, w.Env...)
	return cmd
}

// Run runs a command, whatever comes of it.
func (w *Workspace) Run(args ...string) Result {
	w.t.Helper()
	var out bytes.Buffer
	cmd := w.Command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	result := Result{Output: out.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		result.ExitCode = exit.ExitCode()
	case err != nil:
		w.t.Fatalf("%s %s: %v", w.cli, strings.Join(args, " "), err)
	}
	return result
}

// Must runs a command that has to succeed and returns what it printed.
func (w *Workspace) Must(args ...string) string {
	w.t.Helper()
	result := w.Run(args...)
	if result.ExitCode != 0 {
		w.t.Fatalf("%s failed:\n%s", strings.Join(args, " "), result.Output)
	}
	return result.Output
}

// MustFail runs a command that has to fail and returns what it printed; see Flat.
func (w *Workspace) MustFail(args ...string) string {
	w.t.Helper()
	result := w.Run(args...)
	if result.ExitCode == 0 {
		w.t.Fatalf("%s succeeded, it should have failed:\n%s", strings.Join(args, " "), result.Output)
	}
	return result.Output
}

// Apply applies without asking. It has to succeed.
func (w *Workspace) Apply(args ...string) string {
	w.t.Helper()
	return w.Must(append([]string{"apply", "-auto-approve", "-no-color"}, args...)...)
}

// ApplyFails applies; it has to fail.
func (w *Workspace) ApplyFails(args ...string) string {
	w.t.Helper()
	return w.MustFail(append([]string{"apply", "-auto-approve", "-no-color"}, args...)...)
}

// Plan plans. It has to succeed.
func (w *Workspace) Plan(args ...string) string {
	w.t.Helper()
	return w.Must(append([]string{"plan", "-no-color"}, args...)...)
}

// PlanFails plans; it has to fail.
func (w *Workspace) PlanFails(args ...string) string {
	w.t.Helper()
	return w.MustFail(append([]string{"plan", "-no-color"}, args...)...)
}

// PlanEmpty plans; there has to be nothing to do.
func (w *Workspace) PlanEmpty(args ...string) string {
	w.t.Helper()
	result := w.Run(append([]string{"plan", "-no-color", "-detailed-exitcode"}, args...)...)
	if result.ExitCode != 0 {
		w.t.Fatalf("the plan is not empty (exit code %d):\n%s", result.ExitCode, result.Output)
	}
	return result.Output
}

// Destroy destroys everything. It has to succeed.
func (w *Workspace) Destroy(args ...string) string {
	w.t.Helper()
	return w.Must(append([]string{"destroy", "-auto-approve", "-no-color"}, args...)...)
}

// PlanJSON plans and returns the plan.
func (w *Workspace) PlanJSON(args ...string) *tfjson.Plan {
	w.t.Helper()
	w.Plan(append([]string{"-out=" + w.Path("plan.bin")}, args...)...)
	var plan tfjson.Plan
	w.decode(&plan, "show", "-json", w.Path("plan.bin"))
	return &plan
}

// State returns the state.
func (w *Workspace) State() *tfjson.State {
	w.t.Helper()
	var state tfjson.State
	w.decode(&state, "show", "-json")
	return &state
}

// Resource returns the attributes of a resource in the state; nil when it is not there.
func (w *Workspace) Resource(address string) map[string]any {
	w.t.Helper()
	state := w.State()
	if state.Values == nil {
		return nil
	}
	for _, r := range state.Values.RootModule.Resources {
		if r.Address == address {
			return r.AttributeValues
		}
	}
	return nil
}

func (w *Workspace) decode(into json.Unmarshaler, args ...string) {
	w.t.Helper()
	var stderr bytes.Buffer
	cmd := w.Command(args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	if err := into.UnmarshalJSON(out); err != nil {
		w.t.Fatalf("%s printed what does not parse: %v", strings.Join(args, " "), err)
	}
}

// provider is the directory of the provider, built once per test process.
var provider struct {
	once sync.Once
	dir  string
	err  error
}

// Provider is the path of the provider's program, for its subcommands.
func Provider(t testing.TB) string {
	t.Helper()
	return filepath.Join(buildProvider(t), "terraform-provider-fleet")
}

func buildProvider(t testing.TB) string {
	t.Helper()
	provider.once.Do(func() { provider.dir, provider.err = compileProvider() })
	if provider.err != nil {
		t.Fatal(provider.err)
	}
	return provider.dir
}

func compileProvider() (string, error) {
	dir, err := os.MkdirTemp("", "fleettest-provider-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-C", root(), "-o", filepath.Join(dir, "terraform-provider-fleet"), ".").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("building the provider: %w\n%s", err, out)
	}
	return dir, nil
}

// Flat undoes the wrapping and framing of Terraform's messages, so that a test can look for a sentence.
func Flat(output string) string {
	var words []string
	for _, word := range strings.Fields(output) {
		if word = strings.Trim(word, "│╷╵"); word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}
