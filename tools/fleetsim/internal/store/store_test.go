package store

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/client-go/kubernetes/scheme"
)

// idle reacts to nothing.
type idle struct{}

func (idle) Settle(schema.GroupResource, runtime.Object) error { return nil }
func (idle) React(context.Context, *Cluster, schema.GroupResource, runtime.Object, bool) error {
	return nil
}

func newStorage() *Storage {
	return New(schema.GroupResource{Resource: "configmaps"}, "/configmaps", scheme.Codecs.LegacyCodec(corev1.SchemeGroupVersion), func() runtime.Object { return &corev1.ConfigMap{} }, idle{})
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "n"}, Data: map[string]string{"k": value}}
}

func update(t *testing.T, ctx context.Context, s *Storage, key, value string) *corev1.ConfigMap {
	t.Helper()
	out := &corev1.ConfigMap{}
	err := s.GuaranteedUpdate(ctx, key, out, false, nil, storage.SimpleUpdate(func(current runtime.Object) (runtime.Object, error) {
		current.(*corev1.ConfigMap).Data["k"] = value //nolint:forcetypeassert // The storage has nothing else.
		return current, nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestClustersAreApart(t *testing.T) {
	s, one, two := newStorage(), NewCluster("one"), NewCluster("two")
	out := &corev1.ConfigMap{}
	if err := s.Create(With(t.Context(), one), "/configmaps/n/a", configMap("a", "1"), out, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Get(With(t.Context(), one), "/configmaps/n/a", storage.GetOptions{}, out); err != nil || out.Data["k"] != "1" {
		t.Errorf("the first cluster has %v, error %v", out.Data, err)
	}
	if err := s.Get(With(t.Context(), two), "/configmaps/n/a", storage.GetOptions{}, out); !isNotFound(err) {
		t.Errorf("the second cluster answers %v, want that it is not found", err)
	}
	if err := s.Get(t.Context(), "/configmaps/n/a", storage.GetOptions{}, out); err == nil {
		t.Error("without a cluster there is no error")
	}
}

func TestOnlyChangesAreWritten(t *testing.T) {
	s := newStorage()
	ctx := With(t.Context(), NewCluster("one"))
	created := &corev1.ConfigMap{}
	if err := s.Create(ctx, "/configmaps/n/a", configMap("a", "1"), created, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(ctx, "/configmaps/n/a", configMap("a", "1"), nil, 0); !storage.IsExist(err) {
		t.Errorf("to create it again answers %v, want that it exists", err)
	}
	if same := update(t, ctx, s, "/configmaps/n/a", "1"); same.ResourceVersion != created.ResourceVersion {
		t.Errorf("the version is %s, want %s as before", same.ResourceVersion, created.ResourceVersion)
	}
	if changed := update(t, ctx, s, "/configmaps/n/a", "2"); changed.ResourceVersion == created.ResourceVersion || changed.Data["k"] != "2" {
		t.Errorf("after a change the version is still %s, and the value %q", changed.ResourceVersion, changed.Data["k"])
	}
	if created.Data["k"] != "1" {
		t.Error("an answer changed afterwards")
	}
}

func TestAnUpdateThatIsOvertakenIsTriedAgain(t *testing.T) {
	s := newStorage()
	ctx := With(t.Context(), NewCluster("one"))
	if err := s.Create(ctx, "/configmaps/n/a", configMap("a", "1"), nil, 0); err != nil {
		t.Fatal(err)
	}
	tries, out := 0, &corev1.ConfigMap{}
	err := s.GuaranteedUpdate(ctx, "/configmaps/n/a", out, false, nil, storage.SimpleUpdate(func(current runtime.Object) (runtime.Object, error) {
		if tries++; tries == 1 {
			update(t, ctx, s, "/configmaps/n/a", "2")
		}
		current.(*corev1.ConfigMap).Data["k"] += "+" //nolint:forcetypeassert // The storage has nothing else.
		return current, nil
	}), nil)
	if err != nil || tries != 2 || out.Data["k"] != "2+" {
		t.Errorf("after %d tries the value is %q, want 2+ after 2; error %v", tries, out.Data["k"], err)
	}
}

func TestWatch(t *testing.T) {
	s := newStorage()
	ctx, cancel := context.WithCancel(With(t.Context(), NewCluster("one")))
	defer cancel()
	if err := s.Create(ctx, "/configmaps/n/a", configMap("a", "1"), nil, 0); err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(ctx, "/configmaps/n", storage.ListOptions{Recursive: true, Predicate: storage.Everything})
	if err != nil {
		t.Fatal(err)
	}
	update(t, ctx, s, "/configmaps/n/a", "2")
	if err := s.Create(ctx, "/configmaps/other/a", configMap("a", "1"), nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, "/configmaps/n/a", &corev1.ConfigMap{}, nil, func(context.Context, runtime.Object) error { return nil }, nil, storage.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Deleted} {
		if event := <-w.ResultChan(); event.Type != want {
			t.Errorf("the event is %s, want %s", event.Type, want)
		}
	}
	cancel()
	if event, open := <-w.ResultChan(); open {
		t.Errorf("the watch goes on with %v", event)
	}
	if _, err := s.Watch(With(t.Context(), NewCluster("two")), "/configmaps/n", storage.ListOptions{ResourceVersion: "0", Predicate: storage.Everything}); err != nil {
		t.Error(err)
	}
}
