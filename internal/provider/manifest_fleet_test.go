package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	configmaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	secrets     = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	namespaces  = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	crds        = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// setup is a workspace with the fleet's clusters and one fleet_manifest, which tests rewrite part by part.
type setup struct {
	*fleettest.Workspace
	t *testing.T
	// kubeconfigs are the connections, by cluster.
	kubeconfigs map[string]string
	// name is the set's name.
	name string
}

func newSetup(t *testing.T, cli string) *setup {
	t.Helper()
	s := &setup{Workspace: fleettest.NewWorkspace(t, cli), t: t, kubeconfigs: map[string]string{}, name: fleettest.Name(t)}
	for _, c := range fleettest.Clusters(t) {
		s.kubeconfigs[c.Name] = c.Kubeconfig(t)
	}
	return s
}

// through puts a proxy in front of a cluster.
func (s *setup) through(name string) *fleettest.Proxy {
	s.t.Helper()
	p := fleettest.NewProxy(s.t, fleettest.Get(s.t, name))
	s.kubeconfigs[name] = p.Kubeconfig(s.t)
	return p
}

// fleet writes the provider block and the clusters.
func (s *setup) fleet(clusterArguments string) {
	var b strings.Builder
	b.WriteString("provider \"fleet\" {\n  connect_timeout = \"2s\"\n  kubeconfigs = {\n")
	for _, name := range slices.Sorted(maps.Keys(s.kubeconfigs)) {
		s.Write(name+".kubeconfig", s.kubeconfigs[name])
		fmt.Fprintf(&b, "    %q = file(%q)\n", name, name+".kubeconfig")
	}
	b.WriteString("  }\n}\n")
	fmt.Fprintf(&b, "resource \"fleet_cluster\" \"this\" {\n  for_each = toset([%s])\n  name = each.key\n  labels = { region = split(\"-\", each.key)[0] }\n%s\n}\n",
		quoted(slices.Sorted(maps.Keys(s.kubeconfigs))), clusterArguments)
	s.Write("fleet.tf", b.String())
}

// ownClusters finds an argument clusters of the set's own.
var ownClusters = regexp.MustCompile(`(?m)^\s*clusters\s*=`)

// set writes the fleet_manifest.
func (s *setup) set(arguments string, manifests ...string) {
	s.another("set", s.name, arguments, manifests...)
}

// another writes a fleet_manifest beside the first.
func (s *setup) another(resource, name, arguments string, manifests ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "resource \"fleet_manifest\" %q {\n  name = %q\n", resource, name)
	if !ownClusters.MatchString(arguments) {
		b.WriteString("  clusters = fleet_cluster.this\n")
	}
	b.WriteString(arguments + "\n  manifests = [\n")
	for i, m := range manifests {
		file := fmt.Sprintf("%s%d.yaml", resource, i)
		s.Write(file, m)
		fmt.Fprintf(&b, "    file(%q),\n", file)
	}
	b.WriteString("  ]\n}\n")
	s.Write(resource+".tf", b.String())
}

// manifestState is the fleet_manifest's state.
func (s *setup) manifest() map[string]any {
	s.t.Helper()
	return s.Resource("fleet_manifest.set")
}

// field reads one field of one object from the state's objects.
func (s *setup) field(cluster, object, path string) any {
	s.t.Helper()
	text := dig(s.manifest(), "objects", cluster, object)
	str, ok := text.(string)
	if !ok {
		return nil
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(str), &fields); err != nil {
		s.t.Fatal(err)
	}
	return fields[path]
}

func dig(v any, path ...string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func quoted(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, fmt.Sprintf("%q", n))
	}
	return strings.Join(out, ", ")
}

// live reads an object; nil where it is not there.
func live(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name string) *unstructured.Unstructured {
	t.Helper()
	obj, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// patch merges into an object the way a person with kubectl would.
func patch(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name, body string, subresources ...string) {
	t.Helper()
	_, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).
		Patch(t.Context(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "kubectl"}, subresources...)
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, cluster string, r schema.GroupVersionResource, ns, body string) {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if _, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).Create(t.Context(), obj, metav1.CreateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name string) {
	t.Helper()
	if err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// uids are the identities of an object on all clusters that have it.
func uids(t *testing.T, r schema.GroupVersionResource, ns, name string) map[string]string {
	t.Helper()
	return onAll(t, r, ns, name, func(obj *unstructured.Unstructured) string { return string(obj.GetUID()) })
}

// versions are the resource versions of an object on all clusters that have it: they change with every write.
func versions(t *testing.T, r schema.GroupVersionResource, ns, name string) map[string]string {
	t.Helper()
	return onAll(t, r, ns, name, (*unstructured.Unstructured).GetResourceVersion)
}

func onAll(t *testing.T, r schema.GroupVersionResource, ns, name string, of func(*unstructured.Unstructured) string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, c := range fleettest.Clusters(t) {
		if obj := live(t, c.Name, r, ns, name); obj != nil {
			out[c.Name] = of(obj)
		}
	}
	return out
}

// contains looks for sentences in what Terraform printed.
func contains(t *testing.T, output string, sentences ...string) {
	t.Helper()
	flat := fleettest.Flat(output)
	for _, s := range sentences {
		if !strings.Contains(flat, s) {
			t.Errorf("the output lacks %q:\n%s", s, output)
		}
	}
}

func configMap(name, data string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  k: %q\n", name, data)
}

func deployment(name string, replicas int) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
spec:
  replicas: %[2]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27", resources: {requests: {cpu: 0.5}}}
`, name, replicas)
}
