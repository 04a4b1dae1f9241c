package placement

import (
	"cmp"
	"slices"
)

// Part names a part of a cluster that a selector can look at: a field, spelled as in configuration and CEL
// ("uid", "labels", "facts"), or one entry of it ("labels", "region").
type Part struct {
	Field string
	Entry string
}

// Unknown is the set of one cluster's parts that are not known yet. The name always is. The zero value says
// that everything is known.
type Unknown map[Part]bool

// Field tells whether the whole field is unknown.
func (u Unknown) Field(field string) bool { return u[Part{Field: field}] }

// Entry tells whether one entry of a field is unknown, because it is itself or because the whole field is.
func (u Unknown) Entry(field, entry string) bool {
	return u.Field(field) || u[Part{Field: field, Entry: entry}]
}

// parts lists the unknown parts in a fixed order.
func (u Unknown) parts() []Part {
	parts := make([]Part, 0, len(u))
	for part, unknown := range u {
		if unknown {
			parts = append(parts, part)
		}
	}
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Entry, b.Entry))
	})
	return parts
}
