// Package settle does for simulated clusters what controllers do on real ones, at once and with the write that they would follow up: workloads become ready,
// definitions are established, and what is deleted goes with all that belongs to it. Nothing is scheduled and nothing runs.
package settle

import (
	"context"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/policy"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// Controllers are those of all simulated clusters.
type Controllers struct {
	// Define is told of each CustomResourceDefinition that was written or removed.
	Define func(c *store.Cluster, definition *apiextensions.CustomResourceDefinition, removed bool) error
}

var _ store.Reactions = (*Controllers)(nil)

// Settle completes the status of an object whose spec is new.
func (*Controllers) Settle(_ schema.GroupResource, object runtime.Object) error {
	switch o := object.(type) {
	case *apps.Deployment:
		deployment(o)
	case *apps.StatefulSet:
		statefulSet(o)
	case *apps.DaemonSet:
		daemonSet(o)
	case *apps.ReplicaSet:
		replicaSet(o)
	case *batch.Job:
		job(o)
	case *core.Pod:
		pod(o)
	case *core.PersistentVolumeClaim:
		claim(o)
	case *policy.PodDisruptionBudget:
		o.Status.ObservedGeneration = o.Generation
	case *apiextensions.CustomResourceDefinition:
		definition(o)
	}
	return nil
}

// React removes what is to go with an object, and the object itself once nothing holds it any more.
func (k *Controllers) React(ctx context.Context, c *store.Cluster, resource schema.GroupResource, object runtime.Object, removed bool) error {
	m, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	if crd, ok := object.(*apiextensions.CustomResourceDefinition); ok {
		if err := k.defined(ctx, c, crd, removed); err != nil {
			return err
		}
	}
	if removed {
		if err := removeDependents(ctx, c, m.GetUID()); err != nil {
			return err
		}
		return k.emptied(ctx, c, m.GetNamespace())
	}
	if m.GetDeletionTimestamp() == nil {
		return nil
	}
	if namespace, ok := object.(*core.Namespace); ok {
		return terminate(ctx, c, namespace)
	}
	return k.finalize(ctx, c, resource, m)
}

// finalize does what the garbage collector's finalizers wait for. The store removes an object when its last finalizer goes by a request; here
// that is done by hand.
func (k *Controllers) finalize(ctx context.Context, c *store.Cluster, resource schema.GroupResource, m metav1.Object) error {
	var ours []string
	for _, name := range m.GetFinalizers() {
		if collected(name) {
			ours = append(ours, name)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	if slices.Contains(ours, metav1.FinalizerOrphanDependents) {
		if err := orphan(ctx, c, m.GetUID()); err != nil {
			return err
		}
	} else if err := removeDependents(ctx, c, m.GetUID()); err != nil {
		return err
	}
	for _, o := range c.Objects(func(o store.Object) bool { return o.Resource == resource && uid(o) == m.GetUID() }) {
		if len(ours) < len(m.GetFinalizers()) {
			if err := c.Change(ctx, o, withoutFinalizers(ours)); err != nil {
				return err
			}
		} else if err := c.Remove(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// remove removes all objects that match, whatever their finalizers say.
func remove(ctx context.Context, c *store.Cluster, match func(store.Object) bool) error {
	for _, o := range c.Objects(match) {
		if err := c.Remove(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// collected tells whether a finalizer is the garbage collector's.
func collected(finalizer string) bool {
	return finalizer == metav1.FinalizerDeleteDependents || finalizer == metav1.FinalizerOrphanDependents
}

func withoutFinalizers(names []string) func(runtime.Object) error {
	return func(object runtime.Object) error {
		m, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		m.SetFinalizers(slices.DeleteFunc(m.GetFinalizers(), func(name string) bool { return slices.Contains(names, name) }))
		return nil
	}
}

// removeDependents removes what belongs to nobody else.
func removeDependents(ctx context.Context, c *store.Cluster, owner types.UID) error {
	return remove(ctx, c, func(o store.Object) bool {
		owners := owners(o)
		return len(owners) == 1 && owners[0].UID == owner
	})
}

func orphan(ctx context.Context, c *store.Cluster, owner types.UID) error {
	is := func(r metav1.OwnerReference) bool { return r.UID == owner }
	for _, o := range c.Objects(func(o store.Object) bool { return slices.ContainsFunc(owners(o), is) }) {
		if err := c.Change(ctx, o, func(object runtime.Object) error {
			m, err := meta.Accessor(object)
			if err != nil {
				return err
			}
			m.SetOwnerReferences(slices.DeleteFunc(m.GetOwnerReferences(), is))
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func accessor(o store.Object) metav1.Object {
	m, err := meta.Accessor(o.Object)
	if err != nil {
		// All that is stored has metadata; so says the storage's versioner, which has read it.
		panic(err)
	}
	return m
}

func uid(o store.Object) types.UID { return accessor(o).GetUID() }

func owners(o store.Object) []metav1.OwnerReference { return accessor(o).GetOwnerReferences() }
