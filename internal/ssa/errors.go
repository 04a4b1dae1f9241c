package ssa

import (
	"fmt"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// ConflictError says that other managers own fields with other values, and that nothing was written.
type ConflictError struct {
	Contentions []Contention
	// Drifted are fields of the same object that somebody changed by hand, which is no conflict.
	Drifted []Contention
}

func (e *ConflictError) Error() string {
	lines := make([]string, 0, len(e.Contentions))
	for _, c := range e.Contentions {
		lines = append(lines, fmt.Sprintf("%s is %s (%s), wanted %s", c.Path, shown(c.From), c.Owner, shown(c.To)))
	}
	return "another manager owns fields this set wants to change: " + strings.Join(lines, "; ")
}

// ForeignError says that the object was there before and may not be adopted.
type ForeignError struct {
	// Set is the id of the other set that has the object; empty where it belongs to none.
	Set string
	// Refused tells that the set adopts nothing, whatever it is like.
	Refused bool
	// Unseen tells that it cannot be seen what the object is like.
	Unseen bool
	// Differences are the fields that adopting would change.
	Differences []Difference
}

func (e *ForeignError) Error() string {
	switch {
	case e.Set != "":
		return fmt.Sprintf("the object belongs to another set (%s=%s); an object belongs to one set only", fleet.PartOfLabel, e.Set)
	case e.Refused:
		return `the object was there before this set, which adopts none (existing = "error"): rename it, delete it, or allow the adoption with existing = "if_same" or "adopt"`
	}
	if e.Unseen {
		return `the object was there before this set, and whether it is the same cannot be seen through the hub: rename it, delete it, or have it changed with existing = "adopt"`
	}
	lines := make([]string, 0, len(e.Differences))
	for _, d := range e.Differences {
		lines = append(lines, fmt.Sprintf("%s is %s, wanted %s", d.Path, shown(d.From), shown(d.To)))
	}
	return "the object was there before this set and differs from what the set wants: " + strings.Join(lines, "; ") +
		`. It is adopted where it is the same: make the manifest equal to it, or have it changed with existing = "adopt", or delete or rename it`
}

// ImmutableError says that the API server does not allow the object to be changed that way. Deleting and creating it would do.
type ImmutableError struct {
	// Message is what the API server says, with the fields.
	Message string
}

func (e *ImmutableError) Error() string {
	return "the change cannot be made to an object that exists: " + e.Message +
		". Undo it, or have the object deleted and created anew with replace_immutable = true"
}

func shown(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}
