package fleettest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Kubectl runs the real kubectl against one cluster, with text on its standard input, and returns what it printed, standard
// output and standard error in their order, and whether it succeeded.
func (c *Cluster) Kubectl(t testing.TB, input string, args ...string) (string, bool) {
	t.Helper()
	Require(t)
	cmd := exec.Command(fleet.file.Kubectl, append([]string{"--kubeconfig", fleet.file.Kubeconfig, "--context", c.Name}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "KUBECTL_APPLYSET=true")
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // exec returns it bare
		t.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), err == nil
}

// MustKubectl is Kubectl for a command that has to succeed.
func (c *Cluster) MustKubectl(t testing.TB, input string, args ...string) string {
	t.Helper()
	out, ok := c.Kubectl(t, input, args...)
	if !ok {
		t.Fatalf("kubectl %s failed:\n%s", strings.Join(args, " "), out)
	}
	return out
}
