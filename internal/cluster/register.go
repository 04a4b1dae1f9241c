package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/retry"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// fieldManager is who writes to hubs here.
const fieldManager = "terraform-provider-fleet"

// manifestWorks is where a hub serves what its clusters are to have, and worksNamed how many of them a message names.
var manifestWorks = schema.GroupVersionResource{Group: workv1.GroupName, Version: "v1", Resource: "manifestworks"}

const worksNamed = 10

// Registration is what a hub is to say of a cluster.
type Registration struct {
	Labels map[string]string
	Taints []fleet.Taint
}

// Register creates the ManagedCluster of a cluster behind a hub if it is missing, accepts it, and gives it labels and taints. Those of
// before, that were registered and are no longer wanted, go; those that others have set stay.
func (p *Pool) Register(ctx context.Context, name, access string, now, before Registration) error {
	hub, managed, err := p.hubOf(ctx, name, access)
	if err != nil {
		return err
	}
	// What was found before no longer holds.
	defer p.Forget(name)
	defer hub.forgetFleet()
	clusters := hub.dynamic.Resource(managedClusters)
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		c := &clusterv1.ManagedCluster{}
		got, err := clusters.Get(ctx, managed, metav1.GetOptions{})
		absent := apierrors.IsNotFound(err)
		if err != nil && !absent {
			return err
		}
		if !absent {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, c); err != nil {
				return err
			}
		}
		was := c.DeepCopy()
		c.Name, c.Spec.HubAcceptsClient = managed, true
		now.onto(c, before)
		if !absent && c.Spec.HubAcceptsClient == was.Spec.HubAcceptsClient && maps.Equal(c.Labels, was.Labels) && slices.Equal(c.Spec.Taints, was.Spec.Taints) {
			return nil
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
		if err != nil {
			return err
		}
		if absent {
			got = &unstructured.Unstructured{Object: content}
			got.SetGroupVersionKind(managedClusters.GroupVersion().WithKind("ManagedCluster"))
			unstructured.RemoveNestedField(got.Object, "status")
			_, err = clusters.Create(ctx, got, metav1.CreateOptions{FieldManager: fieldManager})
			return err
		}
		// A hub may know fields that are not known here.
		got.SetLabels(c.Labels)
		spec, _, _ := unstructured.NestedMap(got.Object, "spec")
		if spec == nil {
			spec = map[string]any{}
		}
		spec["hubAcceptsClient"] = true
		taints, _, _ := unstructured.NestedSlice(content, "spec", "taints")
		if spec["taints"] = taints; len(taints) == 0 {
			delete(spec, "taints")
		}
		got.Object["spec"] = spec
		_, err = clusters.Update(ctx, got, metav1.UpdateOptions{FieldManager: fieldManager})
		return err
	})
	if err != nil {
		return fmt.Errorf("ManagedCluster %s on the hub: %w", managed, hub.explain(ctx, err))
	}
	return nil
}

// onto writes the registration into a ManagedCluster.
func (r Registration) onto(c *clusterv1.ManagedCluster, before Registration) {
	if c.Labels == nil {
		c.Labels = map[string]string{}
	}
	for key := range before.Labels {
		delete(c.Labels, key)
	}
	maps.Copy(c.Labels, r.Labels)
	c.Spec.Taints = slices.DeleteFunc(c.Spec.Taints, func(t clusterv1.Taint) bool {
		same := func(x fleet.Taint) bool { return x.Key == t.Key && x.Effect == fleet.TaintEffect(t.Effect) }
		return slices.ContainsFunc(before.Taints, same) || slices.ContainsFunc(r.Taints, same)
	})
	for _, t := range r.Taints {
		c.Spec.Taints = append(c.Spec.Taints, clusterv1.Taint{Key: t.Key, Value: t.Value, Effect: clusterv1.TaintEffect(t.Effect), TimeAdded: metav1.NewTime(t.Added)})
	}
}

// Unregister deletes the ManagedCluster of a cluster behind a hub. One that is gone, or that has another uid than the one given, is left alone. It fails
// where the hub still has ManifestWorks for the cluster, as it would delete what they brought there, unless the cluster itself is gone.
func (p *Pool) Unregister(ctx context.Context, name, access, uid string, gone bool) error {
	hub, managed, err := p.hubOf(ctx, name, access)
	if err != nil {
		return err
	}
	if !gone {
		works, err := hub.dynamic.Resource(manifestWorks).Namespace(managed).List(ctx, metav1.ListOptions{Limit: worksNamed})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("ManifestWorks of %s on the hub: %w", managed, hub.explain(ctx, err))
		}
		if works != nil && len(works.Items) > 0 {
			var names []string
			for i := range works.Items {
				names = append(names, works.Items[i].GetName())
			}
			return fmt.Errorf("the hub still has ManifestWorks for ManagedCluster %s, and would delete what they brought to the cluster: %s. Remove them first, or keep the registration with on_removal = \"leave\"", managed, strings.Join(names, ", "))
		}
	}
	options := metav1.DeleteOptions{}
	if uid != "" {
		options.Preconditions = metav1.NewUIDPreconditions(uid)
	}
	err = hub.dynamic.Resource(managedClusters).Delete(ctx, managed, options)
	if uid != "" && apierrors.IsConflict(err) {
		// Somebody has registered it anew.
		return nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("ManagedCluster %s on the hub: %w", managed, hub.explain(ctx, err))
	}
	return nil
}

// hubOf is the client of the hub of a cluster, whether or not the cluster answers, and the cluster's name there.
func (p *Pool) hubOf(ctx context.Context, name, access string) (*Client, string, error) {
	m, err := p.merge(name, access)
	if err != nil {
		return nil, "", err
	}
	if m.OCM == nil {
		return nil, "", &InvalidError{Cluster: name, Place: accessPlace, Attribute: "ocm", Problem: "it is not reached through a hub"}
	}
	hub, err := p.Client(ctx, m.OCM.Hub, m.OCM.Access)
	return hub, m.OCM.Cluster, err
}
