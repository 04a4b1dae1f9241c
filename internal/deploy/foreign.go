package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// contentLimit is how many foreign objects are named before the rest is left out.
const contentLimit = 5

// keptError says that a namespace or definition was not deleted because others have something in it. The set has given it
// up, and it stays as it is.
type keptError struct {
	content []string
}

func (e *keptError) Error() string {
	if len(e.content) == 0 {
		return "kept, because whether others have something in it cannot be told from here. The set has given it up; whoever can see the cluster may delete it"
	}
	return fmt.Sprintf("kept, because others have something in it: %s. The set has given it up; whoever owns the content may delete it", strings.Join(e.content, ", "))
}

// holdsOthers tells whether others may have something in the object.
func holdsOthers(key fleet.ObjectKey) bool {
	return key.Group == "" && key.Kind == "Namespace" || key.Group == "apiextensions.k8s.io" && key.Kind == "CustomResourceDefinition"
}

// foreignContent names what would go with a namespace or a definition and is not the set's.
func (s *site) foreignContent(ctx context.Context, obj *unstructured.Unstructured) ([]string, error) {
	switch keyOf(obj) {
	case fleet.ObjectKey{Kind: "Namespace", Name: obj.GetName()}:
		return s.contentOfNamespace(ctx, obj.GetName())
	case fleet.ObjectKey{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: obj.GetName()}:
		plural, group, _ := strings.Cut(obj.GetName(), ".")
		versions, _, err := unstructured.NestedSlice(obj.Object, "spec", "versions")
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			version, _ := v.(map[string]any)
			if served, _ := version["served"].(bool); served {
				name, _ := version["name"].(string)
				return s.foreign(ctx, schema.GroupVersionResource{Group: group, Version: name, Resource: plural}, "")
			}
		}
	}
	return nil, nil
}

func (s *site) contentOfNamespace(ctx context.Context, namespace string) ([]string, error) {
	discovered, err := s.client.Discover(ctx)
	if err != nil {
		return nil, err
	}
	for version, cause := range discovered.Failed {
		return nil, fmt.Errorf("discovery of %s: %w", version, cause)
	}
	seen := map[string]bool{}
	var resources []schema.GroupVersionResource
	for kind, r := range discovered.Kinds {
		// One version of a resource is enough to see its objects.
		if id := kind.Group + "/" + r.Name; r.Namespaced && slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "delete") && !seen[id] {
			seen[id] = true
			resources = append(resources, kind.GroupVersion().WithResource(r.Name))
		}
	}
	found := make([][]string, len(resources))
	errs := make([]error, len(resources))
	overObjects(len(resources), func(i int) { found[i], errs[i] = s.foreign(ctx, resources[i], namespace) })
	var all []string
	for i := range resources {
		if errs[i] != nil {
			return nil, errs[i]
		}
		all = append(all, found[i]...)
	}
	slices.Sort(all)
	return all[:min(len(all), contentLimit)], nil
}

// foreign lists the objects of a resource that neither the set nor Kubernetes itself has made.
func (s *site) foreign(ctx context.Context, r schema.GroupVersionResource, namespace string) ([]string, error) {
	list, err := s.client.Metadata().Resource(r).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", r.GroupResource(), err)
	}
	var names []string
	for i := range list.Items {
		o := &list.Items[i]
		if !s.accountedFor(r, o) && len(names) < contentLimit {
			names = append(names, fmt.Sprintf("%s %s", r.GroupResource(), o.Name))
		}
	}
	return names, nil
}

// accountedFor tells whether nobody would miss the object: it is the set's, or on its way out, or what Kubernetes puts into every
// namespace, or belongs to such an object. Claims of a StatefulSet outlive it on purpose and count as somebody's.
func (s *site) accountedFor(r schema.GroupVersionResource, o *metav1.PartialObjectMetadata) bool {
	switch r.Group + "/" + r.Resource {
	case "/events", "events.k8s.io/events", "/endpoints", "discovery.k8s.io/endpointslices", "metrics.k8s.io/pods":
		return true
	case "/configmaps":
		if o.Name == "kube-root-ca.crt" {
			return true
		}
	case "/serviceaccounts":
		if o.Name == "default" {
			return true
		}
	case "/persistentvolumeclaims":
		return o.DeletionTimestamp != nil
	}
	return o.DeletionTimestamp != nil || len(o.OwnerReferences) > 0 || o.Labels[fleet.PartOfLabel] == inventory.ID(s.set.Inventory, s.set.Name)
}
