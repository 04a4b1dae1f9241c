package fleettest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Kubectl is the program kubectl that was built with the fleet.
func Kubectl(t testing.TB) string {
	t.Helper()
	Require(t)
	if fleet.file.Kubectl == "" {
		t.Fatal("the test fleet has no kubectl")
	}
	return fleet.file.Kubectl
}

// Kubectl runs kubectl on the cluster as an administrator and returns what it printed, standard output and standard error in
// their order. With "-f -" among the arguments it reads input.
func (c *Cluster) Kubectl(t testing.TB, input string, args ...string) Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Kubectl(t), append([]string{"--kubeconfig", Kubeconfig(t), "--context", c.Name}, args...)...)
	// Apply sets are an alpha feature of kubectl.
	cmd.Env = append(os.Environ(), "KUBECTL_APPLYSET=true")
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	result := Result{Output: string(out)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		result.ExitCode = exit.ExitCode()
	case err != nil:
		t.Fatalf("kubectl: %v", err)
	}
	return result
}
