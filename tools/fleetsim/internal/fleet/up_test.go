package fleet

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// up runs a fleet until the test ends, and checks that nothing of it is left.
func up(t *testing.T, clusters int) *File {
	t.Helper()
	klog.SetLogger(logr.Discard())
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *File, 1), make(chan error, 1)
	go func() {
		ended <- Up(ctx, Plan{Dir: dir, Count: clusters, Knobs: []byte("{}")}, func(f *File) error {
			ready <- f
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the fleet ended with %v", err)
		}
		for _, name := range []string{"fleet.json", "kubeconfig", "pki"} {
			if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left, or cannot be looked at: %v", name, err)
			}
		}
	})
	select {
	case f := <-ready:
		return f
	case err := <-ended:
		ended <- err
		t.Fatalf("the fleet did not come up: %v", err)
		return nil
	}
}

func client(t *testing.T, f *File, name string) (*kubernetes.Clientset, *rest.Config) {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: f.Kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Timeout = -1, 10*time.Second
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, config
}

func set(t *testing.T, f *File, knobs string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, f.Admin+"/knobs", strings.NewReader(knobs))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("setting %s is answered with %d; error %v", knobs, resp.StatusCode, err)
	}
}

func TestWorkloadsAreReady(t *testing.T) {
	f := up(t, 2)
	c, _ := client(t, f, "sim-0002")
	labels := map[string]string{"app": "web"}
	wanted := appsapply.Deployment("web", "default").WithSpec(appsapply.DeploymentSpec().WithReplicas(3).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(coreapply.Container().WithName("web").WithImage("web:1")))))
	var d *appsv1.Deployment
	for _, replicas := range []int32{3, 5} {
		wanted.Spec.WithReplicas(replicas)
		var err error
		if d, err = c.AppsV1().Deployments("default").Apply(t.Context(), wanted, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
			t.Fatal(err)
		}
		if s := d.Status; s.ObservedGeneration != d.Generation || s.AvailableReplicas != replicas || s.UpdatedReplicas != replicas {
			t.Errorf("the status of generation %d is %+v", d.Generation, s)
		}
	}
	again, err := c.AppsV1().Deployments("default").Apply(t.Context(), wanted, metav1.ApplyOptions{FieldManager: "test"})
	if err != nil || again.ResourceVersion != d.ResourceVersion {
		t.Errorf("the same apply made version %s of %s; error %v", again.ResourceVersion, d.ResourceVersion, err)
	}
	other, _ := client(t, f, "sim-0001")
	if _, err := other.AppsV1().Deployments("default").Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("another cluster answers %v, want that it is not found", err)
	}
}

func TestFaults(t *testing.T) {
	f := up(t, 2)
	c, config := client(t, f, "sim-0001")
	list := func() error {
		_, err := c.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	set(t, f, `{"down":"sim-0001","downMode":"refuse"}`)
	if err := list(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a cluster that refuses answers %v", err)
	}
	set(t, f, `{"downMode":"hang"}`)
	hanging := rest.CopyConfig(config)
	hanging.Timeout = 300 * time.Millisecond
	impatient, err := kubernetes.NewForConfig(hanging)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := impatient.Discovery().ServerVersion(); err == nil || !strings.Contains(err.Error(), "exceeded") {
		t.Errorf("a cluster that hangs answers %v", err)
	}
	set(t, f, `{"down":"","errorRate":1,"errorStatus":500}`)
	if err := list(); !apierrors.IsInternalError(err) {
		t.Errorf("a broken cluster answers %v", err)
	}
	set(t, f, `{"errorRate":0}`)
	if err := list(); err != nil {
		t.Errorf("a cluster that is well again answers %v", err)
	}
	stranger := rest.CopyConfig(config)
	stranger.BearerToken = "sim-0002.guessed"
	if c, err = kubernetes.NewForConfig(stranger); err != nil {
		t.Fatal(err)
	}
	if err := list(); !apierrors.IsUnauthorized(err) {
		t.Errorf("a stranger is answered with %v", err)
	}
}
