package ocmtest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/ocmtest"
)

// These tests are the contract of the work agent as this project relies on it. They run against the stand-in, and against the
// real agent where FLEET_OCM_AGENT names it, which is how the stand-in is known to be like it.

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// scene is a hub, a site, an agent between them, and a namespace on the site.
type scene struct {
	testing.TB
	hub     *ocmtest.Hub
	site    *fleettest.Cluster
	cluster string
	ns      string
}

func newScene(t *testing.T) *scene {
	hub := ocmtest.NewHub(t, fleettest.Get(t, "eu-1"))
	s := &scene{TB: t, hub: hub, site: fleettest.Get(t, "us-1"), cluster: fleettest.Name(t), ns: fleettest.Namespace(t)}
	hub.Register(t, s.cluster, nil)
	ocmtest.StartAgent(t, hub, s.cluster, s.site)
	return s
}

func raw(text string) workv1.Manifest {
	return workv1.Manifest{RawExtension: runtime.RawExtension{Raw: []byte(text)}}
}

func (s *scene) configMap(name, value string) workv1.Manifest {
	return raw(fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q},"data":{"k":%q}}`, name, s.ns, value))
}

// work is a work with the manifests, all by server-side apply.
func (s *scene) work(name string, manifests ...workv1.Manifest) workv1.ManifestWork {
	work := workv1.ManifestWork{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.cluster}}
	work.Spec.Workload.Manifests = manifests
	for _, m := range manifests {
		var o unstructured.Unstructured
		if err := json.Unmarshal(m.Raw, &o.Object); err != nil {
			s.Fatal(err)
		}
		work.Spec.ManifestConfigs = append(work.Spec.ManifestConfigs, workv1.ManifestConfigOption{
			ResourceIdentifier: workv1.ResourceIdentifier{Group: o.GroupVersionKind().Group, Resource: strings.ToLower(o.GetKind()) + "s", Name: o.GetName(), Namespace: o.GetNamespace()},
			UpdateStrategy: &workv1.UpdateStrategy{Type: workv1.UpdateStrategyTypeServerSideApply,
				ServerSideApply: &workv1.ServerSideApplyConfig{FieldManager: "work-agent-test"}},
		})
	}
	return work
}

func (s *scene) put(work workv1.ManifestWork) {
	s.Helper()
	s.hub.PutWork(s, work)
}

// applied waits until the agent has worked on the work as it is now, and returns it.
func (s *scene) applied(name string) workv1.ManifestWork {
	s.Helper()
	var work *workv1.ManifestWork
	fleettest.Eventually(s, "the agent has applied "+name, func() bool {
		work = s.hub.Work(s, s.cluster, name)
		c := meta.FindStatusCondition(work.Status.Conditions, workv1.WorkApplied)
		return c != nil && c.ObservedGeneration == work.Generation
	})
	return *work
}

func (s *scene) get(name string) *unstructured.Unstructured {
	s.Helper()
	got, err := s.site.AdminDynamic(s).Resource(configMaps).Namespace(s.ns).Get(s.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		s.Fatal(err)
	}
	return got
}

func condition(work workv1.ManifestWork, i int, name string) metav1.Condition {
	if c := meta.FindStatusCondition(work.Status.ResourceStatus.Manifests[i].Conditions, name); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func value(work workv1.ManifestWork, i int, name string) string {
	for _, v := range work.Status.ResourceStatus.Manifests[i].StatusFeedbacks.Values {
		if v.Name == name {
			text, _ := json.Marshal(v.Value)
			return string(text)
		}
	}
	return ""
}

func TestAccAgent_apply(t *testing.T) {
	s := newScene(t)
	work := s.work("web", s.configMap("a", "1"), s.configMap("b", "1"))
	work.Spec.ManifestConfigs[0].FeedbackRules = []workv1.FeedbackRule{{Type: workv1.JSONPathsType, JsonPaths: []workv1.JsonPath{
		{Name: "k", Path: ".data.k"}, {Name: "missing", Path: ".data.nothing"}, {Name: "map", Path: ".data"},
	}}}
	s.put(work)
	got := s.applied("web")
	if !meta.IsStatusConditionTrue(got.Status.Conditions, workv1.WorkApplied) {
		t.Fatalf("the work is not applied: %+v", got.Status)
	}
	object := s.get("a")
	manager := object.GetManagedFields()[0]
	if manager.Manager != "work-agent-test" || manager.Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("the object is applied by %s (%s)", manager.Manager, manager.Operation)
	}
	if owners := object.GetOwnerReferences(); len(owners) != 1 || owners[0].Kind != "AppliedManifestWork" {
		t.Errorf("the owners are %v", owners)
	}
	fleettest.Eventually(t, "values are fed back", func() bool {
		got = s.applied("web")
		return value(got, 0, "k") != "" && meta.IsStatusConditionTrue(got.Status.Conditions, workv1.WorkAvailable)
	})
	if v := value(got, 0, "k"); v != `{"type":"String","string":"1"}` {
		t.Errorf("k is %s", v)
	}
	if value(got, 0, "missing") != "" || value(got, 0, "map") != "" {
		t.Errorf("what is not there, or no scalar, has values: %+v", got.Status.ResourceStatus.Manifests[0].StatusFeedbacks)
	}
	if c := condition(got, 0, "StatusFeedbackSynced"); c.Status != metav1.ConditionFalse {
		t.Errorf("a path to a map does not count as failed: %+v", c)
	}

	t.Log("a change, and a removal")
	s.put(s.work("web", s.configMap("a", "2")))
	s.applied("web")
	fleettest.Eventually(t, "what the work no longer has is gone", func() bool { return s.get("b") == nil })
	if k, _, _ := unstructured.NestedString(s.get("a").Object, "data", "k"); k != "2" {
		t.Errorf("k is %q", k)
	}

	t.Log("the end")
	s.hub.DeleteWork(t, s.cluster, "web")
	fleettest.Eventually(t, "the work is gone", func() bool { return s.hub.Work(t, s.cluster, "web") == nil })
	if s.get("a") != nil {
		t.Error("the agent let the work go before its objects were gone")
	}
}

func TestAccAgent_conflict(t *testing.T) {
	s := newScene(t)
	other := &unstructured.Unstructured{}
	if err := json.Unmarshal(s.configMap("a", "theirs").Raw, &other.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := s.site.AdminDynamic(t).Resource(configMaps).Namespace(s.ns).Apply(t.Context(), "a", other, metav1.ApplyOptions{FieldManager: "helm"}); err != nil {
		t.Fatal(err)
	}
	s.put(s.work("web", s.configMap("a", "theirs")))
	s.applied("web")
	s.put(s.work("web", s.configMap("a", "ours")))
	got := s.applied("web")
	if s.get("a") == nil {
		t.Fatal("what could not be changed was deleted")
	}
	if meta.IsStatusConditionTrue(got.Status.Conditions, workv1.WorkApplied) {
		t.Fatal("a conflict counts as applied")
	}
	c := condition(got, 0, workv1.ManifestApplied)
	if c.Status != metav1.ConditionFalse || c.Reason != "AppliedManifestFailed" || !strings.Contains(c.Message, `conflict with "helm"`) || !strings.Contains(c.Message, ".data.k") {
		t.Errorf("the condition is %+v", c)
	}
	work := s.work("web", s.configMap("a", "ours"))
	work.Spec.ManifestConfigs[0].UpdateStrategy.ServerSideApply.Force = true
	s.put(work)
	if got := s.applied("web"); !meta.IsStatusConditionTrue(got.Status.Conditions, workv1.WorkApplied) {
		t.Errorf("forced, it is not applied: %+v", got.Status)
	}
}

func TestAccAgent_strategies(t *testing.T) {
	s := newScene(t)
	client := s.site.Admin(t).CoreV1().ConfigMaps(s.ns)
	if _, err := client.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Data: map[string]string{"k": "theirs"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	work := s.work("web", s.configMap("a", "ours"), s.configMap("b", "ours"), s.configMap("c", "ours"))
	for i, strategy := range []workv1.UpdateStrategyType{workv1.UpdateStrategyTypeReadOnly, workv1.UpdateStrategyTypeReadOnly, workv1.UpdateStrategyTypeCreateOnly} {
		work.Spec.ManifestConfigs[i].UpdateStrategy = &workv1.UpdateStrategy{Type: strategy}
	}
	s.put(work)
	var got workv1.ManifestWork
	fleettest.Eventually(t, "all are looked at", func() bool {
		got = s.applied("web")
		return condition(got, 2, workv1.ManifestAvailable).Status != "" && condition(got, 0, workv1.ManifestAvailable).Status != ""
	})
	for i, want := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionTrue} {
		if c := condition(got, i, workv1.ManifestApplied); c.Status != metav1.ConditionTrue {
			t.Errorf("manifest %d is not applied: %+v", i, c)
		}
		if c := condition(got, i, workv1.ManifestAvailable); c.Status != want {
			t.Errorf("manifest %d: Available is %q, want %q", i, c.Status, want)
		}
	}
	if k, _, _ := unstructured.NestedString(s.get("a").Object, "data", "k"); k != "theirs" || s.get("b") != nil || s.get("c") == nil {
		t.Errorf("what is read only was written, or what was to be created was not")
	}
	s.hub.DeleteWork(t, s.cluster, "web")
	fleettest.Eventually(t, "the work is gone", func() bool { return s.hub.Work(t, s.cluster, "web") == nil })
	if s.get("a") == nil {
		t.Error("what was read only went with the work")
	}
	if s.get("c") != nil {
		t.Error("what was created stayed")
	}
}

func TestAccAgent_orphan(t *testing.T) {
	s := newScene(t)
	work := s.work("web", s.configMap("kept", "1"), s.configMap("gone", "1"))
	work.Spec.DeleteOption = &workv1.DeleteOption{PropagationPolicy: workv1.DeletePropagationPolicyTypeSelectivelyOrphan,
		SelectivelyOrphan: &workv1.SelectivelyOrphan{OrphaningRules: []workv1.OrphaningRule{{Resource: "configmaps", Name: "kept", Namespace: s.ns}}}}
	s.put(work)
	s.applied("web")
	s.hub.DeleteWork(t, s.cluster, "web")
	fleettest.Eventually(t, "the work is gone", func() bool { return s.hub.Work(t, s.cluster, "web") == nil })
	if s.get("kept") == nil || s.get("gone") != nil {
		t.Error("the orphaning rule was not followed")
	}
}

func TestAccAgent_twoOwners(t *testing.T) {
	s := newScene(t)
	s.put(s.work("one", s.configMap("a", "1")))
	s.applied("one")
	s.put(s.work("two", s.configMap("a", "1")))
	s.applied("two")
	uid := s.get("a").GetUID()
	s.hub.DeleteWork(t, s.cluster, "one")
	fleettest.Eventually(t, "the work is gone", func() bool { return s.hub.Work(t, s.cluster, "one") == nil })
	if got := s.get("a"); got == nil || got.GetUID() != uid {
		t.Error("an object that another work has went with the first")
	}
}

func TestAccAgent_rules(t *testing.T) {
	s := newScene(t)
	work := s.work("web", s.configMap("a", "1"))
	work.Spec.ManifestConfigs[0].ConditionRules = []workv1.ConditionRule{
		{Condition: workv1.WorkProgressing, Type: workv1.CelConditionExpressionsType, CelExpressions: []string{`object.data.k == "0"`}},
		{Condition: workv1.WorkDegraded, Type: workv1.CelConditionExpressionsType, CelExpressions: []string{`object.data.k == "1"`}},
	}
	s.put(work)
	var got workv1.ManifestWork
	fleettest.Eventually(t, "the rules were evaluated", func() bool {
		got = s.applied("web")
		return meta.FindStatusCondition(got.Status.Conditions, workv1.WorkProgressing) != nil
	})
	if !meta.IsStatusConditionFalse(got.Status.Conditions, workv1.WorkProgressing) || !meta.IsStatusConditionTrue(got.Status.Conditions, workv1.WorkDegraded) {
		t.Errorf("the conditions are %+v", got.Status.Conditions)
	}
	if slices.ContainsFunc(got.Status.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration != got.Generation }) {
		t.Errorf("a condition is of another generation: %+v", got.Status.Conditions)
	}
}
