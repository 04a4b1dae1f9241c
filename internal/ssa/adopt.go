package ssa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// lastApplied is where kubectl's client-side apply keeps what it applied.
var lastApplied = fieldpath.MakePathOrDie("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")

// mayAdopt refuses to adopt what the treatment does not allow to.
func (s *Server) mayAdopt(ctx context.Context, w Wanted, st stance) error {
	switch w.Treat.Existing {
	case fleet.ExistingError:
		return &ForeignError{Refused: true}
	case fleet.ExistingAdopt:
		return nil
	case fleet.ExistingIfSame:
	}
	got, _, err := s.Send(ctx, w.Resource, s.body(w, st, true), ApplyOptions{DryRun: true, Force: true})
	if err != nil {
		return s.immutable(ctx, w, err)
	}
	want, err := Result(got, s.Manager, nil, w.Mask)
	if err != nil {
		return err
	}
	set, err := OwnedSet(got, s.Manager)
	if err != nil {
		return err
	}
	if diff := Diff(Project(w.Live, set, w.Mask), want); len(diff) > 0 {
		return &ForeignError{Differences: diff}
	}
	return nil
}

// declared is what the entry's manager asked for as a whole: all of a server-side apply, and of kubectl's client-side apply what the
// annotation says it applied, since its entry has the API server's defaults as well. It is empty for single fields that somebody
// edited: taking such an edit as a whole would undo it at once, as a restart that kubectl asked for.
func declared(live *unstructured.Unstructured, o Owner) (*fieldpath.Set, error) {
	if o.Operation == metav1.ManagedFieldsOperationApply {
		return o.Fields, nil
	}
	text := live.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]
	if !o.Fields.Has(lastApplied) || text == "" {
		return fieldpath.NewSet(), nil
	}
	applied := &unstructured.Unstructured{}
	if err := applied.UnmarshalJSON([]byte(text)); err != nil {
		return nil, fmt.Errorf("kubectl's annotation on the object does not parse: %w", err)
	}
	set, err := SentSet(applied)
	if err != nil {
		return nil, err
	}
	return o.Fields.Intersection(set), nil
}

// share is what the set takes over of another's entry, and what is left of that entry. An adoption that is to change nothing takes only
// what the manifest speaks of: the rest would go with it.
func (w Wanted) share(o Owner, sent *fieldpath.Set) (taken, rest *fieldpath.Set, err error) {
	whole := fieldpath.NewSet()
	if w.Treat.Existing == fleet.ExistingAdopt {
		if whole, err = declared(w.Live, o); err != nil {
			return nil, nil, err
		}
	}
	taken = whole.Union(o.Fields.Intersection(sent))
	if whole.Empty() {
		return taken, o.Fields.Difference(taken), nil
	}
	return taken, fieldpath.NewSet(), nil
}

// takesFrom tells whether the entry is one to take over.
func (w Wanted) takesFrom(o Owner, st stance) bool {
	return slices.Contains(st.absorbed, o.Manager) && o.Subresource != "status"
}

// dropped are the fields that go because the set takes over from a manager that declared them, the manifest does not have them,
// and nobody else owns them.
func (st stance) dropped(w Wanted) (*fieldpath.Set, error) {
	owners, err := Owners(w.Live)
	if err != nil {
		return nil, err
	}
	sent, err := SentSet(w.Object)
	if err != nil {
		return nil, err
	}
	// A map of metadata is no field of its own, and goes with the last of its entries.
	taken, others := fieldpath.NewSet(), fieldpath.NewSet(lastApplied, fieldpath.MakePathOrDie("metadata", "annotations"), fieldpath.MakePathOrDie("metadata", "labels"))
	for _, o := range owners {
		if w.takesFrom(o, st) {
			one, _, err := w.share(o, sent)
			if err != nil {
				return nil, err
			}
			taken = taken.Union(one)
		} else {
			others = others.Union(o.Fields)
		}
	}
	return taken.Leaves().Difference(sent).Difference(others), nil
}

// takeOver rewrites who owns what, without changing any value: what the set takes from other managers becomes its own, and what it
// gives up is its own no longer. The write is refused when the object changed since it was read.
func (s *Server) takeOver(ctx context.Context, w Wanted, st stance) (*unstructured.Unstructured, error) {
	owners, err := Owners(w.Live)
	if err != nil {
		return nil, err
	}
	sent, err := SentSet(w.Object)
	if err != nil {
		return nil, err
	}
	own := fieldpath.NewSet()
	var entries []metav1.ManagedFieldsEntry
	for i, entry := range w.Live.GetManagedFields() {
		o := owners[i]
		switch {
		case o.Manager == s.Manager && o.Operation == metav1.ManagedFieldsOperationApply && o.Subresource == "":
			own = own.Union(o.Fields)
			continue
		case w.takesFrom(o, st):
			taken, rest, err := w.share(o, sent)
			if err != nil {
				return nil, err
			}
			own = own.Union(taken)
			if rest.Empty() {
				continue
			}
			if entry.FieldsV1, err = fieldsV1(rest); err != nil {
				return nil, err
			}
		}
		entries = append(entries, entry)
	}
	if own = own.RecursiveDifference(st.release); !own.Empty() {
		now := metav1.Now()
		entry := metav1.ManagedFieldsEntry{Manager: s.Manager, Operation: metav1.ManagedFieldsOperationApply,
			APIVersion: w.Object.GetAPIVersion(), FieldsType: "FieldsV1", Time: &now}
		if entry.FieldsV1, err = fieldsV1(own); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return s.rewrite(ctx, w.Resource, w.Live, entries, nil)
}

func fieldsV1(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	text, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encode managedFields: %w", err)
	}
	var fields metav1.FieldsV1
	if err := fields.UnmarshalJSON(bytes.TrimSpace(text)); err != nil {
		return nil, fmt.Errorf("encode managedFields: %w", err)
	}
	return &fields, nil
}

// rewrite replaces the object's managedFields, and does further operations of RFC 6902 in the same write, if the object has not
// changed since it was read.
func (s *Server) rewrite(ctx context.Context, r Resource, live *unstructured.Unstructured, entries []metav1.ManagedFieldsEntry, more []map[string]any) (*unstructured.Unstructured, error) {
	if len(entries) == 0 {
		// An empty list means "leave as is" to the API server; one empty entry means none.
		entries = append(entries, metav1.ManagedFieldsEntry{})
	}
	ops := append([]map[string]any{
		{"op": "test", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
		{"op": "replace", "path": "/metadata/managedFields", "value": entries},
	}, more...)
	body, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return decode(s.rest.Patch(types.JSONPatchType).AbsPath(r.path(live.GetNamespace(), live.GetName())).
		Param("fieldManager", s.Manager).Body(body).Do(ctx))
}
