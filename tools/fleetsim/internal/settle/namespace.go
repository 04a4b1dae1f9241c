package settle

import (
	"context"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubernetes/pkg/apis/core"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

var namespaces = schema.GroupResource{Resource: "namespaces"}

// terminate removes a namespace's content, and then the namespace, unless finalizers hold something back.
func terminate(ctx context.Context, c *store.Cluster, namespace *core.Namespace) error {
	for _, o := range c.Objects(in(namespace.Name)) {
		if accessor(o).GetDeletionTimestamp() != nil {
			continue
		}
		if len(accessor(o).GetFinalizers()) == 0 {
			if err := c.Remove(ctx, o); err != nil {
				return err
			}
			continue
		}
		if err := c.Change(ctx, o, terminating); err != nil {
			return err
		}
	}
	if len(c.Objects(in(namespace.Name))) > 0 || held(namespace) {
		return nil
	}
	return remove(ctx, c, func(o store.Object) bool { return o.Resource == namespaces && uid(o) == namespace.UID })
}

// emptied ends the namespace if it waited for an object that is gone now.
func (*Controllers) emptied(ctx context.Context, c *store.Cluster, name string) error {
	if name == "" {
		return nil
	}
	terminating := c.Objects(func(o store.Object) bool {
		return o.Resource == namespaces && accessor(o).GetName() == name && accessor(o).GetDeletionTimestamp() != nil && !held(accessor(o))
	})
	if len(terminating) == 0 || len(c.Objects(in(name))) > 0 {
		return nil
	}
	return c.Remove(ctx, terminating[0])
}

// held tells whether somebody else's finalizers hold what is being deleted.
func held(m metav1.Object) bool {
	return slices.ContainsFunc(m.GetFinalizers(), func(name string) bool { return !collected(name) })
}

func in(namespace string) func(store.Object) bool {
	return func(o store.Object) bool { return accessor(o).GetNamespace() == namespace }
}

func terminating(object runtime.Object) error {
	o := store.Object{Object: object}
	now := metav1.Now()
	accessor(o).SetDeletionTimestamp(&now)
	return nil
}

// defined tells of the definition, and removes its objects before it goes itself.
func (k *Controllers) defined(ctx context.Context, c *store.Cluster, crd *apiextensions.CustomResourceDefinition, removed bool) error {
	if !removed && crd.DeletionTimestamp == nil {
		return k.Define(c, crd, false)
	}
	resource := schema.GroupResource{Group: crd.Spec.Group, Resource: crd.Spec.Names.Plural}
	if err := remove(ctx, c, func(o store.Object) bool { return o.Resource == resource }); err != nil {
		return err
	}
	if err := k.Define(c, crd, true); err != nil || removed {
		return err
	}
	for _, name := range crd.Finalizers {
		if !collected(name) && name != apiextensions.CustomResourceCleanupFinalizer {
			return nil
		}
	}
	return remove(ctx, c, func(o store.Object) bool { return uid(o) == crd.UID })
}
