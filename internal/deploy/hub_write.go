package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
)

// errWorkChanged says that a work is not as it was read any more.
var errWorkChanged = errors.New("somebody changed its ManifestWork on the hub since the plan; nothing was changed there, plan and apply again")

// putAttempts is how often a work is written that its agent writes to at the same time.
const putAttempts = 8

// put writes a work with the items; one that has them already is left as it is.
func (h *hubTransport) put(ctx context.Context, name string, items []ocm.Item) error {
	spec, err := ocm.Spec(items, h.executor)
	if err != nil {
		return err
	}
	content, err := specContent(spec)
	if err != nil {
		return err
	}
	h.works.mu.Lock()
	known := h.works.by[name]
	h.works.mu.Unlock()
	if known == nil {
		return h.create(ctx, name, content)
	}
	if same(known.raw.Object["spec"], content) && known.raw.GetLabels()[ocm.SetLabel] == h.setID() {
		return nil
	}
	return h.overwrite(ctx, known, content, h.setID())
}

// overwrite gives a work another specification, and the label of the set with the id, unless somebody else has changed it since it was read.
func (h *hubTransport) overwrite(ctx context.Context, known *hubWork, content any, id string) error {
	works, name := h.hub.Dynamic().Resource(ocm.Works).Namespace(h.namespace), known.raw.GetName()
	raw := known.raw
	for attempt := 1; ; attempt++ {
		body := raw.DeepCopy()
		body.Object["spec"] = content
		labels := body.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[ocm.SetLabel] = id
		body.SetLabels(labels)
		_, err := works.Update(ctx, body, metav1.UpdateOptions{FieldManager: h.manager()})
		if !apierrors.IsConflict(err) || attempt == putAttempts {
			return h.explain(name, err)
		}
		// Its status was written in the meantime, most likely.
		if raw, err = works.Get(ctx, name, metav1.GetOptions{}); err != nil {
			return h.explain(name, err)
		}
		if raw.GetGeneration() != known.raw.GetGeneration() || raw.GetUID() != known.raw.GetUID() {
			return errWorkChanged
		}
	}
}

func (h *hubTransport) create(ctx context.Context, name string, content map[string]any) error {
	body := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	body.SetGroupVersionKind(ocm.WorkKind)
	body.SetName(name)
	body.SetNamespace(h.namespace)
	body.SetLabels(map[string]string{ocm.SetLabel: h.setID()})
	_, err := h.hub.Dynamic().Resource(ocm.Works).Namespace(h.namespace).Create(ctx, body, metav1.CreateOptions{FieldManager: h.manager()})
	if !apierrors.IsAlreadyExists(err) {
		return h.explain(name, err)
	}
	// Only the label may be gone by which it is found.
	there, err := h.hub.Dynamic().Resource(ocm.Works).Namespace(h.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return h.explain(name, err)
	}
	ours := slices.ContainsFunc(there.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == h.manager() })
	if there.GetDeletionTimestamp() != nil {
		return fmt.Errorf("the ManifestWork %s/%s is being deleted, and its agent has not let go of it yet; apply again when it has", h.namespace, name)
	}
	if other := there.GetLabels()[ocm.SetLabel]; other != "" {
		return fmt.Errorf("the ManifestWork %s/%s belongs to another set (%s=%s), which may have had this set's name; give this set another name", h.namespace, name, ocm.SetLabel, other)
	}
	if !ours {
		return fmt.Errorf("there is a ManifestWork %s/%s that is not this set's; give the set another name", h.namespace, name)
	}
	// What it has is the set's, and only a plan that has seen it may change that.
	if err := h.overwrite(ctx, &hubWork{raw: there}, there.Object["spec"], h.setID()); err != nil {
		return err
	}
	return errWorkChanged
}

// drop deletes a work; its agent removes what it has applied of it before the work is gone.
func (h *hubTransport) drop(ctx context.Context, name string) error {
	h.works.mu.Lock()
	known := h.works.by[name]
	h.works.mu.Unlock()
	options := metav1.DeleteOptions{}
	if known != nil {
		uid := known.raw.GetUID()
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	err := h.hub.Dynamic().Resource(ocm.Works).Namespace(h.namespace).Delete(ctx, name, options)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return h.explain(name, err)
}

func (h *hubTransport) explain(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ManifestWork %s/%s on the hub: %w", h.namespace, name, h.hub.Classify(err))
}

// handOver gives the works of the objects to the set with the id that the changes name.
func (h *hubTransport) handOver(ctx context.Context, changes []*hubChange) error {
	to := map[fleet.ObjectKey]string{}
	for _, c := range changes {
		to[c.key] = c.rename
	}
	h.works.mu.Lock()
	known := make([]*hubWork, 0, len(h.works.by))
	for _, name := range sortedWorks(h.works.by) {
		known = append(known, h.works.by[name])
	}
	h.works.mu.Unlock()
	for _, w := range known {
		items := slices.Clone(w.items)
		partOf := ""
		for i := range items {
			if id, moves := to[items[i].Key]; moves {
				partOf = id
				items[i].Object = items[i].Object.DeepCopy()
				labels := items[i].Object.GetLabels()
				if labels == nil {
					labels = map[string]string{}
				}
				labels[fleet.PartOfLabel] = id
				items[i].Object.SetLabels(labels)
			}
		}
		if partOf == "" {
			continue
		}
		spec, err := ocm.Spec(items, h.executor)
		if err != nil {
			return err
		}
		content, err := specContent(spec)
		if err != nil {
			return err
		}
		if err := h.overwrite(ctx, w, content, partOf); err != nil {
			return err
		}
	}
	// Whoever opens the set under its new name is to find them.
	h.runner.mu.Lock()
	for _, c := range changes {
		delete(h.runner.hubs, hubKey{hub: h.hub, set: c.rename})
	}
	h.runner.mu.Unlock()
	return h.refresh(ctx, true)
}

// specContent is a specification as it is sent.
func specContent(spec workv1.ManifestWorkSpec) (map[string]any, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode a ManifestWork: %w", err)
	}
	var content map[string]any
	return content, json.Unmarshal(text, &content)
}

// same tells whether a work has a specification already.
func same(have any, want map[string]any) bool {
	a, err := json.Marshal(have)
	if err != nil {
		return false
	}
	b, err := json.Marshal(want)
	return err == nil && string(a) == string(b)
}
