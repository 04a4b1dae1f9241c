package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// wanted is one object of the set as one cluster is to have it.
type wanted struct {
	ssa.Wanted
	stage manifest.Stage
	// pending tells that the cluster will serve the kind only once this run has created its definition.
	pending bool
	// unsalted tells that the digests of the object's values cannot be told yet, because the cluster has no salt for them.
	unsalted bool
	// treat is how to treat what is not only the set's own.
	treat treatment
	// hides says which values are never shown.
	hides hiding
	// replicas is the cluster's part where the object's replicas are divided.
	replicas *int64
	// writeOnly tells that the object's content is not known for certain before it is sent.
	writeOnly bool
}

// mayBeGone tells that the object is not there, and allowed not to be.
func (w wanted) mayBeGone() bool {
	return w.Prior == nil && w.Record != nil && w.treat.Missing == fleet.MissingIgnore && w.Record.Sent == w.Body
}

// want prepares the set's objects for a cluster. s is nil where the cluster cannot be asked; what is known of it must
// then do. The objects that are left out there come apart. The errors are the user's: a kind not served, a namespace missing or out of place.
func (r *Runner) want(ctx context.Context, s *site, set Set, prior ClusterState, salt []byte) ([]wanted, []skipped, Problems) {
	var out []wanted
	var skips []skipped
	var found Problems
	name := prior.Cluster.Name
	for _, o := range set.objects(name) {
		w, err := r.wantOne(ctx, s, set, o, prior, salt)
		var skip *skipError
		if errors.As(err, &skip) {
			skips = append(skips, skip.skipped)
			continue
		}
		if err != nil {
			found = append(found, Problem{Cluster: name, Object: &w.Key, Err: err})
			continue
		}
		if w.Prior.IsUnread() && !w.Unchanged() {
			r.recall(ctx, s, set, &w, prior, salt)
		}
		out = append(out, w)
	}
	return out, skips, append(found, duplicates(name, out)...)
}

func (r *Runner) wantOne(ctx context.Context, s *site, set Set, o manifest.Object, prior ClusterState, salt []byte) (wanted, error) {
	w := wanted{Wanted: ssa.Wanted{Key: o.Key}, stage: o.Stage()}
	kind := o.GroupVersionKind()
	resource, err := r.resourceOf(ctx, s, prior.Cluster.Name, kind, prior.Applied, o.Key.Namespace != "" || set.Namespace != "")
	w.Resource = resource
	namespaced := resource.Namespaced
	if err != nil {
		coming, ok := r.promisedKind(prior.Cluster.Name, kind)
		if !ok {
			w.Key = set.likelyKey(prior, o)
			return w, set.unserved(prior, o, err)
		}
		w.pending, namespaced = true, coming.Namespaced
	}
	body := o.DeepCopy()
	unmark(body)
	switch {
	case namespaced && o.Key.Namespace == "" && set.Namespace == "":
		return w, fmt.Errorf("%s: %s is namespaced and names no namespace; set metadata.namespace, or the default in the argument namespace", o.Position, kind.Kind)
	case namespaced && o.Key.Namespace == "":
		body.SetNamespace(set.Namespace)
		w.Key.Namespace = set.Namespace
	case !namespaced && set.Namespaced:
		return w, fmt.Errorf("%s: %s is cluster-scoped, and the set's inventory has the scope \"namespaced\"; put the object into another set, with the scope \"cluster\"", o.Position, kind.Kind)
	case !namespaced && o.Key.Namespace != "":
		return w, fmt.Errorf("%s: %s is cluster-scoped, but metadata.namespace is %q; remove it", o.Position, kind.Kind, o.Key.Namespace)
	}
	if w.replicas, err = set.setReplicas(prior.Cluster.Name, w.Key, body); err != nil {
		return w, fmt.Errorf("%s: %w", o.Position, err)
	}
	if w.treat, err = set.treat(prior.Cluster, w.Key, body.GetLabels()); err != nil {
		return w, fmt.Errorf("%s: %w", o.Position, err)
	}
	if body, err = ssa.Without(body, w.treat.ignored); err != nil {
		return w, fmt.Errorf("%s: %w", o.Position, err)
	}
	w.Treat = w.treat.onFields(set)
	w.hides = hiding{secret: o.IsSecret(), all: o.WriteOnly, paths: w.treat.sensitive}
	if w.hides.any() {
		w.Mask, w.unsalted = w.hides.mask(cmp.Or(string(salt), processSalt)), len(salt) == 0
	}
	switch {
	case o.WriteOnly:
		// The content may be another at apply, and only a new version says that it is to be sent.
		w.Body, w.writeOnly = manifest.Digest("write-only", set.WriteOnlyVersion, w.Key.String()), true
		w.unsalted = false
		if o.Overridden != "" {
			w.Body = manifest.Digest(w.Body, o.Overridden)
		}
		if w.replicas != nil {
			w.Body = manifest.Digest(w.Body, strconv.FormatInt(*w.replicas, 10))
		}
	case w.hides.any():
		w.Body = manifest.SaltedHash(string(salt), body)
	default:
		w.Body = manifest.Hash(body)
	}
	if len(w.treat.sensitive) > 0 {
		// Which fields are shown as digests is part of what an apply notes.
		w.Body = manifest.Digest(w.Body, w.hides.text())
	}
	if yields := w.treat.yields(body); yields != "" {
		w.Body = manifest.Digest(w.Body, yields)
	}
	w.Record = prior.Applied.record(w.Key)
	w.Prior = prior.Objects[w.Key]
	if w.unsalted && set.Same[o.Key] && set.running(prior) == set.BeforeRevision && w.Record != nil && w.Prior != nil && w.hides.noted(*w.Record) {
		// The manifest says what it said when the record was made, so no digest is needed to tell.
		w.Body, w.unsalted = w.Record.Sent, false
	}
	labels := body.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[fleet.PartOfLabel] = inventory.ID(set.Inventory, set.Name)
	body.SetLabels(labels)
	if text := w.hides.text(); text != "" {
		if err := unstructured.SetNestedField(body.Object, text, "metadata", "annotations", fleet.HiddenAnnotation); err != nil {
			return w, fmt.Errorf("%s: %w", o.Position, err)
		}
	}
	w.Object = body
	if s != nil && w.Unchanged() && s.server.outdated(w.Wanted) {
		record := *w.Record
		record.Stale, w.Record = ssa.StaleRefused, &record
	}
	if w.Unchanged() {
		// Nobody will ask what would be sent, and telling takes the schemas of all kinds.
		return w, nil
	}
	if w.Sent, err = r.sentOf(w); err != nil {
		return w, fmt.Errorf("%s: %w", o.Position, err)
	}
	return w, nil
}

// sentLimit is how many objects are remembered with what is sent of them.
const sentLimit = 4096

// sentOf is what will be sent of the object. Most clusters get the same, and are asked about it several times, so it is told once; but for what hides
// values, whose digests are each cluster's own.
func (r *Runner) sentOf(w wanted) (ssa.Fields, error) {
	if w.Mask != nil {
		return ssa.Sent(w.Object, w.Mask)
	}
	id := w.Object.GetLabels()[fleet.PartOfLabel] + " " + w.Key.String() + " " + manifest.Hash(w.Object)
	r.mu.Lock()
	sent, ok := r.sent[id]
	r.mu.Unlock()
	if ok {
		return sent, nil
	}
	sent, err := ssa.Sent(w.Object, nil)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent == nil {
		r.sent = map[string]ssa.Fields{}
	}
	if len(r.sent) < sentLimit {
		r.sent[id] = sent
	}
	return sent, nil
}

// unmark takes away what a manifest that was dumped from a cluster has of another set.
func unmark(body *unstructured.Unstructured) {
	unstructured.RemoveNestedField(body.Object, "metadata", "labels", fleet.PartOfLabel)
	unstructured.RemoveNestedField(body.Object, "metadata", "annotations", fleet.CreatedAnnotation)
	unstructured.RemoveNestedField(body.Object, "metadata", "annotations", fleet.HiddenAnnotation)
	unstructured.RemoveNestedField(body.Object, "metadata", "annotations", fleet.SentAnnotation)
}

// resourceOf asks the site, or what was noted where there is none. stated tells whether the object is to be in a namespace.
func (r *Runner) resourceOf(ctx context.Context, s *site, cluster string, kind schema.GroupVersionKind, applied Applied, stated bool) (ssa.Resource, error) {
	if s != nil {
		resource, err := s.resource(ctx, kind)
		if err == nil && !s.knows(kind.GroupKind()) {
			resource.Namespaced = stated && !clusterScopedKind(kind.Kind)
		}
		return resource, err
	}
	if err := applied.noted(kind); err != nil {
		return ssa.Resource{}, err
	}
	if served, ok := applied.Kinds[kind.GroupKind().String()]; ok {
		return served.at(kind.GroupKind()), nil
	}
	if coming, ok := r.promisedKind(cluster, kind); ok {
		return ssa.Resource{Namespaced: coming.Namespaced}, nil
	}
	// Without a cluster to ask, the scope follows from what is known of Kubernetes and from the manifests.
	return ssa.Resource{Namespaced: stated && !clusterScopedKind(kind.Kind)}, nil
}

func clusterScopedKind(kind string) bool { return slices.Contains(clusterScoped, kind) }

// clusterScoped are the built-in kinds that live outside of namespaces and that people put into manifests.
var clusterScoped = []string{
	"APIService", "CSIDriver", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "FlowSchema", "IngressClass",
	"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume",
	"PriorityClass", "PriorityLevelConfiguration", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy",
	"ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttributesClass",
}

// duplicates finds objects that turn out to be one once the default namespace is applied.
func duplicates(cluster string, list []wanted) Problems {
	var found Problems
	seen := map[fleet.ObjectKey]bool{}
	for _, w := range list {
		if seen[w.Key] {
			found = append(found, Problem{Cluster: cluster, Object: &w.Key, Err: errors.New("the object stands more than once in the set; remove all but one")})
		}
		seen[w.Key] = true
	}
	return found
}
