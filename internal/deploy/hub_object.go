package deploy

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// observed is an object as the hub knows it: what its work has, with what the agent reports. As on an API server, managedFields say
// whose the values are: the set's and, where somebody else wrote the work last, that one's as well.
func (h *hubTransport) observed(w *hubWork, item ocm.Item) (*unstructured.Unstructured, error) {
	obj := ocm.ReportOf(&w.work, item).Observed(item)
	sent, err := ssa.SentSet(item.Object)
	if err != nil {
		return nil, err
	}
	fields, err := sent.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("the fields of %s: %w", item.Key, err)
	}
	entry := func(manager string, operation metav1.ManagedFieldsOperationType) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, APIVersion: item.Object.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(fields))}
	}
	entries := []metav1.ManagedFieldsEntry{entry(h.manager(), metav1.ManagedFieldsOperationApply)}
	if editor := h.editor(w); editor != nil {
		other := entry(editor.Manager, editor.Operation)
		other.Time = editor.Time
		entries = append(entries, other)
	}
	obj.SetManagedFields(entries)
	return obj, nil
}

// editor is who else has written the work's manifests since the set did; nil where nobody has.
func (h *hubTransport) editor(w *hubWork) *metav1.ManagedFieldsEntry {
	manifests := fieldpath.MakePathOrDie("spec", "workload", "manifests")
	var last *metav1.ManagedFieldsEntry
	for _, e := range w.raw.GetManagedFields() {
		if e.Subresource != "" || e.Manager == h.manager() || e.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil || !set.Has(manifests) {
			continue
		}
		if last == nil || e.Time != nil && last.Time != nil && e.Time.After(last.Time.Time) {
			last = &e
		}
	}
	return last
}

// Reread notes what the agent could not do, and what somebody has changed about how an object is delivered.
func (h *hubTransport) Reread(obj *unstructured.Unstructured, record ssa.Record) (ssa.Record, error) {
	record.Stale = ""
	w, item := h.known(keyOf(obj))
	switch {
	case item == nil:
		return record, nil
	case obj.GetLabels()[fleet.PartOfLabel] == "":
		record.Stale = ssa.StaleLabel
	case ocm.ReportOf(&w.work, *item).Rejected != "", !h.delivered(*item):
		record.Stale = ssa.StaleRefused
	}
	return record, nil
}

// delivered tells whether the agent is told to treat the object as the set last said.
func (h *hubTransport) delivered(item ocm.Item) bool { return saidOf(item) == deliveryOf(item) }

// outdated tells whether the set now says something else of how the agent is to treat the object, which is as it should be otherwise.
func (h *hubTransport) outdated(w ssa.Wanted) bool {
	work, item := h.known(w.Key)
	if item == nil {
		return false
	}
	lasting := h.lasting(w, item, h.body(w, item, false))
	return saidOf(*item) != deliveryOf(lasting) || ocm.Executor(&work.work) != h.executor
}

// saidOf is what deliveryOf was when the set last wrote the object.
func saidOf(item ocm.Item) string {
	_, said, _ := strings.Cut(item.Object.GetAnnotations()[fleet.SentAnnotation], ".")
	return said
}

// deliveryOf is a short digest of how an agent is told to treat an object.
func deliveryOf(item ocm.Item) string {
	text := ssa.Digest(ssa.Text(map[string]string{"config": item.ConfigText(), "orphan": fmt.Sprint(item.Orphan)}))
	return text[len(text)-8:]
}

// Preview tells what would be sent, which is what there is to know: the API server's own opinion is the agent's to find out.
func (h *hubTransport) Preview(_ context.Context, w ssa.Wanted) (ssa.Outcome, error) {
	work, item := h.known(w.Key)
	out, err := h.outcome(w, work, item)
	if out.Open = w.Yields(); err != nil || item == nil {
		return out, err
	}
	report := ocm.ReportOf(&work.work, *item)
	if report.Rejected == "" || !h.sameBut(w, *item) {
		return out, nil
	}
	// The agent has refused what is wanted still.
	_, err = h.settle(w, &out, report.Rejected)
	return out, err
}

// settle says what comes of the fields that an agent says are in the way: those that are to be left to others are, and the rest is taken if it may be. force tells
// that there are such.
func (h *hubTransport) settle(w ssa.Wanted, out *ssa.Outcome, message string) (force bool, err error) {
	contentions, err := h.contentions(w, message)
	if err != nil {
		return false, err
	}
	left, yielded, rest := w.Yield(out.Object, contentions)
	var refused, drifted, others []ssa.Contention
	adopting := out.Adopted && w.Treat.Existing == fleet.ExistingAdopt
	for _, c := range rest {
		switch {
		case adopting && strings.Contains(c.Path, fleet.PartOfLabel):
			return false, fmt.Errorf("the object belongs to another set: %s owns its label %s; an object belongs to one set only", c.Owner, fleet.PartOfLabel)
		case adopting:
		case w.Conflict([]ssa.Contention{c}, c.Drift) != nil:
			refused = append(refused, c)
		case c.Drift:
			drifted = append(drifted, c)
		default:
			others = append(others, c)
		}
	}
	if len(refused) > 0 {
		return false, &ssa.ConflictError{Contentions: refused}
	}
	if len(yielded) > 0 {
		set, err := ssa.SentSet(left)
		if err != nil {
			return false, err
		}
		out.Object, out.Yielded, out.Fields = left, yielded, ssa.Project(left, set, w.Mask)
		out.Recorded = ssa.Recorded(out.Fields, out.Reported)
	}
	out.Corrected, out.Forced = append(out.Corrected, drifted...), append(out.Forced, others...)
	return len(rest) > 0, nil
}

// sameBut tells whether the work has of the object what is wanted.
func (h *hubTransport) sameBut(w ssa.Wanted, item ocm.Item) bool {
	sent, err := ssa.Sent(item.Object, w.Mask)
	return err == nil && len(ssa.Diff(sent, w.Sent)) == 0
}

// outcome is what comes of an object that is sent as wanted.
func (h *hubTransport) outcome(w ssa.Wanted, work *hubWork, item *ocm.Item) (ssa.Outcome, error) {
	body := h.body(w, item, item == nil)
	set, err := ssa.SentSet(body)
	if err != nil {
		return ssa.Outcome{}, err
	}
	out := ssa.Outcome{Object: body, Created: item == nil, Fields: ssa.Project(body, set, w.Mask)}
	out.Recorded = out.Fields
	if item == nil {
		return out, nil
	}
	if out.Live, err = h.observed(work, *item); err != nil {
		return out, err
	}
	out.Before = ssa.Project(out.Live, set, w.Mask)
	if _, out.Released, err = w.GivenUp(item.Object); err != nil {
		return out, err
	}
	if w.Prior == nil || w.Record == nil || w.Record.Sent != w.Body {
		return out, nil
	}
	contentions, err := ssa.Contend(out.Live, w.Sent, h.manager(), w.Mask)
	for i := range contentions {
		contentions[i].Drift = true
		if owner := contentions[i].Owner; owner != nil && owner.Self {
			// Nobody has changed the work, so it is what the agent reports that differs.
			contentions[i].Owner = nil
		}
	}
	if err != nil || len(contentions) == 0 {
		return out, err
	}
	if out.Object, out.Corrected, out.Reported, err = w.Leave(body, out.Live, contentions); err != nil || len(out.Reported) == 0 {
		return out, err
	}
	if set, err = ssa.SentSet(out.Object); err != nil {
		return out, err
	}
	out.Fields = ssa.Project(out.Object, set, w.Mask)
	out.Recorded = ssa.Recorded(out.Fields, out.Reported)
	return out, nil
}

// body is what is sent: the object with its marks. created tells that it would be new to the cluster.
func (h *hubTransport) body(w ssa.Wanted, item *ocm.Item, created bool) *unstructured.Unstructured {
	body := w.Object.DeepCopy()
	annotations := body.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if item != nil {
		_, created = item.Object.GetAnnotations()[fleet.CreatedAnnotation]
	}
	if created {
		annotations[fleet.CreatedAnnotation] = "true"
	}
	body.SetAnnotations(annotations)
	return body
}

// lasting is an object as the agent is to treat it from now on; item is how it is in its work.
func (h *hubTransport) lasting(w ssa.Wanted, item *ocm.Item, body *unstructured.Unstructured) ocm.Item {
	kind := schema.GroupKind{Group: w.Key.Group, Kind: w.Key.Kind}
	o := ocm.Options{Force: w.Forces()}
	if o.Manager = ocm.Manager(h.set.Name); item != nil && item.Manager() != "" {
		// A set that was given another name goes on under the name that the site knows.
		o.Manager = item.Manager()
	}
	o.Judged = h.set.Wait.Checks.Covers(kind) || !slices.Contains(plain, kind.String()) || holdsOthers(w.Key)
	o.Fields = h.set.Wait.Checks.Fields(kind)
	o.Report = w.Reports()
	lasting := ocm.NewItem(w.Key, body, w.Resource.Resource, o)
	_, created := body.GetAnnotations()[fleet.CreatedAnnotation]
	lasting.Orphan = w.Treat.Stays != nil && w.Treat.Stays(created)
	return lasting
}

// item is an object as it is sent, marked as a writing of its own. force takes fields from other managers, whatever the set says; that is not to last, and the mark
// tells it where a run ends before it is taken back.
func (h *hubTransport) item(w ssa.Wanted, body *unstructured.Unstructured, force bool) ocm.Item {
	_, item := h.known(w.Key)
	sent := h.lasting(w, item, body.DeepCopy())
	said := deliveryOf(sent)
	sent.Config.UpdateStrategy.ServerSideApply.Force = force
	annotations := sent.Object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[fleet.SentAnnotation] = strings.ToLower(rand.Text()[:8]) + "." + said
	sent.Object.SetAnnotations(annotations)
	return sent
}

// untold is the value of a field that only the cluster knows.
const untold = "(known to the cluster only)"

// contentions are the fields that an agent says are in the way. Those are drift that are the set's own, written over by somebody who did not apply them.
func (h *hubTransport) contentions(w ssa.Wanted, message string) (found []ssa.Contention, err error) {
	sent, err := ssa.SentSet(w.Object)
	if err != nil {
		return nil, err
	}
	// The API server prints paths in another grammar, which does not quote names; it can be written but not read.
	paths := map[string]fieldpath.Path{}
	for path := range sent.Leaves().All() {
		paths[path.String()] = path.Copy()
	}
	for _, claim := range ocm.Claims(message) {
		operation := metav1.ManagedFieldsOperationApply
		if claim.Update {
			operation = metav1.ManagedFieldsOperationUpdate
		}
		c := ssa.Contention{Owner: &ssa.Owner{Manager: claim.Manager, Operation: operation, Subresource: claim.Subresource, Time: claim.Time}}
		c.Path, c.From = strings.TrimPrefix(claim.Field, "."), untold
		if path, ok := paths[claim.Field]; ok {
			c.Path = fleet.FormatPath(path)
			c.To = w.Sent[c.Path]
		}
		_, ours := w.Prior[c.Path]
		c.Drift = claim.Update && ours
		found = append(found, c)
	}
	return found, nil
}
