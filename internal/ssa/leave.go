package ssa

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Leave divides drift into what is to be corrected and what is only to be reported, and gives the body the live values of the latter.
func (w Wanted) Leave(body, live *unstructured.Unstructured, drift []Contention) (left *unstructured.Unstructured, corrected, reported []Contention, err error) {
	leave := fieldpath.NewSet()
	for _, c := range drift {
		path, err := fleet.ParsePath(c.Path)
		if err != nil {
			return nil, nil, nil, err
		}
		if w.Treat.drift(path) != fleet.DriftReport {
			corrected = append(corrected, c)
			continue
		}
		reported = append(reported, c)
		leave.Insert(path)
	}
	if len(reported) == 0 {
		return body, corrected, nil, nil
	}
	return grafted(without(body, leave), live, leave), corrected, reported, nil
}

// Recorded are the fields for the record, which has what is only reported as it is wanted.
func Recorded(fields Fields, reported []Contention) Fields {
	if len(reported) == 0 {
		return fields
	}
	recorded := maps.Clone(fields)
	for _, c := range reported {
		if recorded[c.Path] = c.To; c.To == "" {
			delete(recorded, c.Path)
		}
	}
	return recorded
}

// Yield leaves to others those of the fields in the way that are to be left to them: the body without them, and with the manager of each. rest are the other
// fields. One of the set's own that somebody has written over is never left.
func (w Wanted) Yield(body *unstructured.Unstructured, contentions []Contention) (left *unstructured.Unstructured, yielded map[string]string, rest []Contention) {
	var leave []Contention
	for _, c := range contentions {
		path, err := fleet.ParsePath(c.Path)
		if err != nil || c.Drift || c.Owner == nil || w.Treat.conflicts(path) != fleet.ConflictsYield {
			rest = append(rest, c)
			continue
		}
		if yielded == nil {
			yielded = map[string]string{}
		}
		yielded[c.Path] = c.Owner.String()
		leave = append(leave, c)
	}
	return LeaveOut(body, leave), yielded, rest
}

// LeaveOut is the body without the fields.
func LeaveOut(body *unstructured.Unstructured, fields []Contention) *unstructured.Unstructured {
	leave := fieldpath.NewSet()
	for _, c := range fields {
		if path, err := fleet.ParsePath(c.Path); err == nil {
			leave.Insert(path)
		}
	}
	return without(body, leave)
}

// Yields tells whether any field of the object may be left to another manager.
func (w Wanted) Yields() bool {
	return w.Treat.Conflicts != nil && !w.everywhere(func(path fieldpath.Path) bool { return w.Treat.conflicts(path) != fleet.ConflictsYield })
}

// GivenUp is the part of what the set has applied that is to be ignored from now on: its fields, and an object that has no others; nil where there are none.
func (w Wanted) GivenUp(applied *unstructured.Unstructured) (*unstructured.Unstructured, []string, error) {
	if len(w.Treat.Ignored) == 0 {
		return nil, nil, nil
	}
	sent, err := SentSet(applied)
	if err != nil {
		return nil, nil, err
	}
	given := fieldpath.NewSet()
	var names []string
	for path := range sent.Leaves().All() {
		if fleet.MatchAny(w.Treat.Ignored, path) {
			given.Insert(path.Copy())
			names = append(names, fleet.FormatPath(path))
		}
	}
	if given.Empty() {
		return nil, nil, nil
	}
	slices.Sort(names)
	part := &unstructured.Unstructured{Object: map[string]any{}}
	part.SetGroupVersionKind(applied.GroupVersionKind())
	part.SetNamespace(applied.GetNamespace())
	part.SetName(applied.GetName())
	return grafted(part, applied, given), names, nil
}
