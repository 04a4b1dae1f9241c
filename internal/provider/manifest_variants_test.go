package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var statefulsets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}

// chart is what helm template yields for a cloud, in a namespace of the test's own.
func chart(t *testing.T, cloud, ns string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "multi-cloud", cloud+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// Cluster-scoped objects of one name would be shared with other tests.
	return strings.NewReplacer("name: multi-cloud-shop", "name: "+ns, "namespace: multi-cloud-shop", "namespace: "+ns, "ClassName: multi-cloud-shop", "ClassName: "+ns).Replace(string(text))
}

// TestAccManifest_variants puts the output of helm template for two clouds on clusters of both, in one set.
func TestAccManifest_variants(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		for _, cloud := range []string{"aws", "gcp"} {
			s.Write(cloud+".yaml", chart(t, cloud, ns))
		}
		s.fleet("")
		set := func(aws string, more string) {
			s.Write("set.tf", fmt.Sprintf(`resource "fleet_manifest" "set" {
  name     = %q
  clusters = fleet_cluster.this
  wait     = { until = "none" }
  variants = [
    { clusters = { names = [%s] }, manifests = [file("aws.yaml")] },
    { clusters = { names = ["eu-2"] }, manifests = [file("gcp.yaml")] },
  ]
  %s
}
`, s.name, aws, more))
		}
		set(`"eu-1"`, "")
		contains(t, s.PlanFails(), `No variant for cluster "us-1"`, "us-1: none of the 2 variants is for this cluster, and there are no manifests to fall back on")
		set(`"eu-1"`, `manifests = [file("gcp.yaml")]`)
		s.Apply()
		s.PlanEmpty()
		image := func(cluster string) string {
			containers, _ := value(t, cluster, statefulsets, ns, "shop", "spec", "template", "spec", "containers").([]any)
			name, _ := containers[0].(map[string]any)["image"].(string)
			registry, _, _ := strings.Cut(name, "/")
			return registry
		}
		const aws, gcp = "111122223333.dkr.ecr.eu-central-1.amazonaws.com", "europe-docker.pkg.dev"
		images := map[string]string{}
		for _, c := range fleettest.Clusters(t) {
			images[c.Name] = image(c.Name)
		}
		if diff := cmp.Diff(map[string]string{"eu-1": aws, "eu-2": gcp, "us-1": gcp}, images); diff != "" {
			t.Error(diff)
		}

		t.Log("another formatting of one variant is no change")
		s.Write("aws.yaml", strings.ReplaceAll(chart(t, "aws", ns), "---\n# Source", "---\n# From"))
		s.PlanEmpty()

		t.Log("another variant is an update in place, of what has to be and no more")
		before := uids(t, statefulsets, ns, "shop")
		s.Write("set.tf", strings.NewReplacer(`manifests = [file("gcp.yaml")]`+"\n}", `manifests = [file("aws.yaml")]`+"\n}").Replace(read(t, s.Path("set.tf"))))
		out := s.PlanFails()
		contains(t, out, "us-1 StorageClass.storage.k8s.io "+ns)
		s.Write("set.tf", strings.Replace(read(t, s.Path("set.tf")), "  wait     =", "  replace_immutable = true\n  wait     =", 1))
		out = s.Plan()
		contains(t, out, "update StatefulSet.apps "+ns+"/shop on us-1: ", ", spec.template.spec.containers[name=shop].image", "replace StorageClass.storage.k8s.io "+ns+" on us-1")
		s.Apply()
		s.PlanEmpty()
		if diff := cmp.Diff(before, uids(t, statefulsets, ns, "shop")); diff != "" {
			t.Errorf("the StatefulSet was recreated: %s", diff)
		}
		if got := image("us-1"); got != aws {
			t.Errorf("us-1 runs an image from %s", got)
		}
		s.Destroy()
	})
}

// TestAccManifest_variantErrors points into the text of a variant.
func TestAccManifest_variantErrors(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	set := func(text string) {
		s.Write("variant.yaml", text)
		s.set(fmt.Sprintf("namespace = %q\nvariants = [{ manifests = [] }, { clusters = { match_labels = { region = \"us\" } }, manifests = [\"\", file(\"variant.yaml\")] }]", ns), configMap("conf", "v"))
	}
	set("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n")
	contains(t, s.PlanFails(), "Invalid manifest", "variants[1].manifests[1], document 1, line 3: metadata.name is missing")
	set("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: very-hidden}\n")
	contains(t, s.PlanFails(), "A Secret in manifests", "variants[1].manifests[1], document 1, line 1: Secret db would stand in the state")
	set(configMap("conf", "a") + "---\n" + configMap("conf", "b"))
	contains(t, s.PlanFails(), "variants[1].manifests[1], document 2", "is in this set already, at variants[1].manifests[1], document 1")
}
