package ssa

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Owner is one field manager's claim on an object.
type Owner struct {
	// Manager is the field manager's name.
	Manager string
	// Operation is Apply or Update.
	Operation metav1.ManagedFieldsOperationType
	// Subresource is the subresource it wrote through, such as "scale"; usually empty.
	Subresource string
	// Time is when it last changed its claim.
	Time time.Time
	// Fields are the fields it owns.
	Fields *fieldpath.Set
	// Self tells that it is the set's own field manager, which somebody else must then have used.
	Self bool
}

// String prints the owner for messages: "kubectl (Update, scale)".
func (o Owner) String() string {
	if o.Self {
		return fmt.Sprintf("%s (%s, in this set's name, by somebody else)", o.Manager, o.Operation)
	}
	if o.Subresource != "" {
		return fmt.Sprintf("%s (%s, %s)", o.Manager, o.Operation, o.Subresource)
	}
	return fmt.Sprintf("%s (%s)", o.Manager, o.Operation)
}

// Owners decodes the object's managedFields.
func Owners(obj *unstructured.Unstructured) ([]Owner, error) {
	entries := obj.GetManagedFields()
	owners := make([]Owner, 0, len(entries))
	for _, e := range entries {
		o := Owner{Manager: e.Manager, Operation: e.Operation, Subresource: e.Subresource, Fields: fieldpath.NewSet()}
		if e.Time != nil {
			o.Time = e.Time.UTC()
		}
		if e.FieldsV1 != nil {
			if err := o.Fields.FromJSON(e.FieldsV1.GetRawReader()); err != nil {
				return nil, fmt.Errorf("managedFields of manager %q: %w", e.Manager, err)
			}
		}
		owners = append(owners, o)
	}
	return owners, nil
}

// OwnedSet is what the manager applied to the object.
func OwnedSet(obj *unstructured.Unstructured, manager string) (*fieldpath.Set, error) {
	owners, err := Owners(obj)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		if o.Manager == manager && o.Operation == metav1.ManagedFieldsOperationApply && o.Subresource == "" {
			return o.Fields, nil
		}
	}
	return fieldpath.NewSet(), nil
}

// Result projects an object to the fields the manager owns in it, and to those of paths that it has.
func Result(obj *unstructured.Unstructured, manager string, paths []string, mask Mask) (Fields, error) {
	set, err := OwnedSet(obj, manager)
	if err != nil {
		return nil, err
	}
	fields := Project(obj, set, mask)
	if extra := missing(fields, paths); len(extra) > 0 {
		more := fieldpath.NewSet()
		for _, text := range extra {
			path, err := fleet.ParsePath(text)
			if err != nil {
				return nil, err
			}
			more.Insert(path)
		}
		for path, value := range Project(obj, more, mask) {
			fields[path] = value
		}
	}
	return fields, nil
}

func missing(fields Fields, paths []string) []string {
	var out []string
	for _, p := range paths {
		if _, ok := fields[p]; !ok {
			out = append(out, p)
		}
	}
	return out
}

// Contention is a field that should have one value and has another, with who gave it that.
type Contention struct {
	Difference
	// Owner is who owns the field now; nil where nobody does, as when the field was removed.
	Owner *Owner
	// Drift tells that the field was ours and an Update took it; otherwise it is a conflict.
	Drift bool
}

// Contend compares the live object with the wanted fields and names who is responsible for each difference. Whether it is drift
// is for the caller to say, who knows what the set had applied.
func Contend(live *unstructured.Unstructured, wanted Fields, manager string, mask Mask) ([]Contention, error) {
	owners, err := Owners(live)
	if err != nil {
		return nil, err
	}
	liveFields, err := Result(live, manager, keys(wanted), mask)
	if err != nil {
		return nil, err
	}
	var out []Contention
	for _, d := range Diff(liveFields, wanted) {
		path, err := fleet.ParsePath(d.Path)
		if err != nil {
			return nil, err
		}
		owner := ownerOf(owners, path, manager)
		if owner == nil {
			owner = selfOwner(owners, path, manager)
		}
		out = append(out, Contention{Difference: d, Owner: owner})
	}
	return out, nil
}

// selfOwner is the set's own claim on the path; nil where it has none.
func selfOwner(owners []Owner, path fieldpath.Path, manager string) *Owner {
	for _, o := range owners {
		if o.Manager == manager && o.Operation == metav1.ManagedFieldsOperationApply && (o.Fields.Has(path) || hasBelow(o.Fields, path)) {
			o.Self = true
			return &o
		}
	}
	return nil
}

// ownerOf picks, of the others who own the path, one that applied it before one that updated it, then the latest.
func ownerOf(owners []Owner, path fieldpath.Path, manager string) *Owner {
	var found []Owner
	for _, o := range owners {
		if o.Manager == manager && o.Operation == metav1.ManagedFieldsOperationApply {
			continue
		}
		if o.Fields.Has(path) || hasBelow(o.Fields, path) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b Owner) int {
		if a.Operation != b.Operation {
			if a.Operation == metav1.ManagedFieldsOperationApply {
				return -1
			}
			return 1
		}
		return b.Time.Compare(a.Time)
	})
	return &found[0]
}

func hasBelow(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, e := range path {
		if set = set.WithPrefix(e); set.Empty() {
			return false
		}
	}
	return true
}

func keys(f Fields) []string {
	out := make([]string, 0, len(f))
	for p := range f {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// hidden tells whether the path is one of the provider's own marks.
func hidden(path fieldpath.Path) bool {
	if len(path) != 3 || path[0].FieldName == nil || *path[0].FieldName != "metadata" || path[1].FieldName == nil || path[2].FieldName == nil {
		return false
	}
	switch *path[1].FieldName {
	case "labels":
		return *path[2].FieldName == fleet.PartOfLabel
	case "annotations":
		return slices.Contains([]string{fleet.CreatedAnnotation, fleet.HiddenAnnotation, fleet.SentAnnotation}, *path[2].FieldName)
	}
	return false
}
