package ocmtest

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// Hub is a cluster of the test fleet as a hub.
type Hub struct {
	*fleettest.Cluster
	client dynamic.Interface
}

// NewHub makes a hub of a cluster.
func NewHub(t testing.TB, c *fleettest.Cluster) *Hub {
	t.Helper()
	install(t, c, "hub", onHub)
	return &Hub{Cluster: c, client: c.AdminDynamic(t)}
}

// Register registers a managed cluster that is accepted, has joined and answers, with its namespace; change may change what it
// says before that. Both are deleted when the test ends.
func (h *Hub) Register(t testing.TB, name string, change func(*clusterv1.ManagedCluster)) {
	t.Helper()
	c := clusterv1.ManagedCluster{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true}}
	c.Status.Version.Kubernetes = "v1.35.0"
	for _, condition := range []string{clusterv1.ManagedClusterConditionHubAccepted, clusterv1.ManagedClusterConditionJoined, clusterv1.ManagedClusterConditionAvailable} {
		meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: "Test", Message: "said by a test"})
	}
	if change != nil {
		change(&c)
	}
	status := c.Status
	created, err := h.client.Resource(ManagedClusters).Create(t.Context(), object(t, ManagedClusters, "ManagedCluster", c), metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("registering %s: %v", name, err)
	}
	h.deleteLater(t, ManagedClusters, "", name)
	decode(t, created, &c)
	c.Status = status
	if _, err := h.client.Resource(ManagedClusters).UpdateStatus(t.Context(), object(t, ManagedClusters, "ManagedCluster", c), metav1.UpdateOptions{}); err != nil {
		t.Fatalf("the status of %s: %v", name, err)
	}
	h.Namespace(t, name)
}

// Namespace makes the namespace of a managed cluster, which a hub's own controller makes once the cluster is accepted.
func (h *Hub) Namespace(t testing.TB, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := h.Admin(t).CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	h.deleteLater(t, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "", name)
}

// SetCondition sets a condition of a managed cluster, as the hub's and the cluster's controllers do.
func (h *Hub) SetCondition(t testing.TB, name, condition string, status metav1.ConditionStatus) {
	t.Helper()
	c := h.Managed(t, name)
	meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{Type: condition, Status: status, Reason: "Test", Message: "said by a test"})
	h.UpdateStatus(t, c)
}

// UpdateStatus writes the status of a managed cluster, as its agent does.
func (h *Hub) UpdateStatus(t testing.TB, c clusterv1.ManagedCluster) {
	t.Helper()
	if _, err := h.client.Resource(ManagedClusters).UpdateStatus(t.Context(), object(t, ManagedClusters, "ManagedCluster", c), metav1.UpdateOptions{}); err != nil {
		t.Fatalf("the status of %s: %v", c.Name, err)
	}
}

// Managed reads one managed cluster.
func (h *Hub) Managed(t testing.TB, name string) clusterv1.ManagedCluster {
	t.Helper()
	got, err := h.client.Resource(ManagedClusters).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var c clusterv1.ManagedCluster
	decode(t, got, &c)
	return c
}

// Has tells whether the hub knows a managed cluster.
func (h *Hub) Has(t testing.TB, name string) bool {
	t.Helper()
	_, err := h.client.Resource(ManagedClusters).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// Update writes what a managed cluster is to be, as a person does.
func (h *Hub) Update(t testing.TB, c clusterv1.ManagedCluster) {
	t.Helper()
	if _, err := h.client.Resource(ManagedClusters).Update(t.Context(), object(t, ManagedClusters, "ManagedCluster", c), metav1.UpdateOptions{}); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
}

// Unregister deletes a managed cluster and leaves its namespace.
func (h *Hub) Unregister(t testing.TB, name string) {
	t.Helper()
	if err := h.client.Resource(ManagedClusters).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Works are the works of a managed cluster.
func (h *Hub) Works(t testing.TB, cluster string) []workv1.ManifestWork {
	t.Helper()
	list, err := h.client.Resource(ManifestWorks).Namespace(cluster).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	works := make([]workv1.ManifestWork, len(list.Items))
	for i := range list.Items {
		decode(t, &list.Items[i], &works[i])
	}
	return works
}

// Work is one work of a managed cluster; nil where it does not exist.
func (h *Hub) Work(t testing.TB, cluster, name string) *workv1.ManifestWork {
	t.Helper()
	got, err := h.client.Resource(ManifestWorks).Namespace(cluster).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var work workv1.ManifestWork
	decode(t, got, &work)
	return &work
}

// PutWork creates a work, or gives the one of its name the spec, as a person with kubectl does.
func (h *Hub) PutWork(t testing.TB, work workv1.ManifestWork) {
	t.Helper()
	works := h.client.Resource(ManifestWorks).Namespace(work.Namespace)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		now, err := works.Get(t.Context(), work.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = works.Create(t.Context(), object(t, ManifestWorks, "ManifestWork", work), metav1.CreateOptions{FieldManager: "kubectl-edit"})
			return err
		}
		if err != nil {
			return err
		}
		now.Object["spec"] = object(t, ManifestWorks, "ManifestWork", work).Object["spec"]
		now.SetLabels(work.Labels)
		_, err = works.Update(t.Context(), now, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
		return err
	})
	if err != nil {
		t.Fatalf("work %s/%s: %v", work.Namespace, work.Name, err)
	}
}

// DeleteWork asks for a work to be deleted.
func (h *Hub) DeleteWork(t testing.TB, cluster, name string) {
	t.Helper()
	if err := h.client.Resource(ManifestWorks).Namespace(cluster).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

func (h *Hub) deleteLater(t testing.TB, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	deleteLater(t, h.client, resource, namespace, name)
}

func deleteLater(t testing.TB, client dynamic.Interface, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := cleanup(t)
		defer cancel()
		if err := client.Resource(resource).Namespace(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Logf("deleting %s %s: %v", resource.Resource, name, err)
		}
	})
}

// letGo takes the finalizers away from the works of a cluster whose agent has ended, so that its namespace can go.
func (h *Hub) letGo(t testing.TB, cluster string) {
	t.Helper()
	ctx, cancel := cleanup(t)
	defer cancel()
	works := h.client.Resource(ManifestWorks).Namespace(cluster)
	list, err := works.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Logf("the works of %s: %v", cluster, err)
		return
	}
	for i := range list.Items {
		if _, err := works.Patch(ctx, list.Items[i].GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Logf("letting go of %s: %v", list.Items[i].GetName(), err)
		}
	}
}

func object(t testing.TB, resource schema.GroupVersionResource, kind string, from any) *unstructured.Unstructured {
	t.Helper()
	text, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	into := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &into.Object); err != nil {
		t.Fatal(err)
	}
	into.SetGroupVersionKind(resource.GroupVersion().WithKind(kind))
	return into
}

func decode(t testing.TB, from *unstructured.Unstructured, into any) {
	t.Helper()
	if err := fromObject(from, into); err != nil {
		t.Fatal(err)
	}
}

func fromObject(from *unstructured.Unstructured, into any) error {
	text, err := json.Marshal(from.Object)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Profile writes a ClusterProfile of a cluster into a namespace, with an access provider of the name "test" that names the
// cluster's API server.
func (h *Hub) Profile(t testing.TB, namespace, name string, of *fleettest.Cluster, labels map[string]string) {
	t.Helper()
	profile := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"clusterManager": map[string]any{"name": "test"}}}}
	profile.SetGroupVersionKind(ClusterProfiles.GroupVersion().WithKind("ClusterProfile"))
	profile.SetName(name)
	profile.SetLabels(labels)
	profiles := h.client.Resource(ClusterProfiles).Namespace(namespace)
	created, err := profiles.Create(t.Context(), profile, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created.Object["status"] = map[string]any{
		"properties": []any{map[string]any{"name": "tier", "value": "gold"}},
		"accessProviders": []any{map[string]any{"name": "test", "cluster": map[string]any{
			"server": of.Host, "certificate-authority-data": base64.StdEncoding.EncodeToString([]byte(of.CA(t))),
		}}},
	}
	if _, err := profiles.UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
