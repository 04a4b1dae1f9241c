package ocmtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// agentNamespace is where the real agent expects to live on its site.
const agentNamespace = "open-cluster-management-agent"

// startReal runs the real work agent outside of its site.
func startReal(t testing.TB, program string, hub *Hub, cluster string, site *fleettest.Cluster) (stop func()) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: agentNamespace}}
	if _, err := site.Admin(t).CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := func(name string, c *fleettest.Cluster) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.Kubeconfig(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	hubFile, siteFile := config("kubeconfig", hub.Cluster), config("site", site)
	cmd := exec.Command(program, "agent",
		"--spoke-cluster-name="+cluster, "--hub-kubeconfig-dir="+dir, "--hub-kubeconfig="+hubFile, "--workload-source-config="+hubFile,
		"--kubeconfig="+siteFile, "--agent-id="+cluster, "--namespace="+agentNamespace, "--disable-leader-election", "--terminate-on-files="+siteFile, "--listen="+freeAddress(t))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		// It was told to end, so how it did is no news.
		_ = cmd.Wait()
		kill.Stop()
		if t.Failed() {
			text := out.String()
			t.Logf("the real agent:\n%s", text[max(0, len(text)-8000):])
		}
	}
}

// freeAddress is one that nobody listens at. The agent has to be told one: two of them do not share their default, and it cannot choose.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// cleanup is a context for what comes after a test, whose own is over by then.
func cleanup(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeoutCause(context.WithoutCancel(t.Context()), time.Minute, errors.New("cleaning up takes longer than a minute"))
}
