package provider_test

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccGuide_health has the example of the guide "Health and progress" say what it is to say when workloads fall ill after the apply.
func TestAccGuide_health(t *testing.T) {
	w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
	if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join("..", "..", "examples", "health"))); err != nil {
		t.Fatal(err)
	}
	w.Write("versions.tf", "")
	w.Env = append(w.Env, "TF_VAR_kubeconfig="+fleettest.Kubeconfig(t))
	w.Apply()
	w.PlanEmpty()
	// In fields that the manifest does not speak of, so that it is no drift.
	fallIll := func(cluster string) {
		patch(t, cluster, deployments, "health-shop", "web", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"nodeSelector":{"no-node":"has-this"}}}}}`)
		fleettest.Eventually(t, "no replica is available on "+cluster, func() bool {
			obj := live(t, cluster, deployments, "health-shop", "web")
			n, _, err := unstructured.NestedInt64(obj.Object, "status", "availableReplicas")
			seen, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
			return err == nil && n == 0 && seen == obj.GetGeneration()
		})
	}
	fallIll("eu-1")
	contains(t, w.Plan(), "Warning: Check block assertion failed", "The shop is not healthy everywhere: eu-1: Applied, InProgress: Deployment.apps health-shop/web: Available is False: MinimumReplicasUnavailable")
	fallIll("us-1")
	contains(t, w.PlanFails(), "Error: Resource postcondition failed", "The shop needs two healthy clusters, it has: eu-2.")
	w.Destroy("-refresh=false")
}
