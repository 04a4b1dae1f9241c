package ssa

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Treatment says how to treat what is not only the set's own. The zero value is the defaults.
type Treatment struct {
	// Existing is for an object that was there before the set.
	Existing fleet.Existing
	// Conflicts is what to do where another manager owns a field; nil is an error everywhere.
	Conflicts func(fieldpath.Path) fleet.Conflicts
	// Drift is what to do where somebody changed a field of the set's; nil is to correct it everywhere.
	Drift func(fieldpath.Path) fleet.Drift
	// Ignored are fields that are neither sent nor compared.
	Ignored []fleet.Pattern
	// Absorbs tells from which managers to take over when an object is adopted.
	Absorbs func(manager string) bool
	// ReplaceImmutable tells that an object may be deleted and created anew.
	ReplaceImmutable bool
	// Stays tells whether the object is to stay when the set no longer has it, by whether the set has created it; nil is not known.
	Stays func(created bool) bool
}

// Reports tells whether all that becomes of the object is only to be reported.
func (w Wanted) Reports() bool {
	return w.Treat.Drift != nil && w.everywhere(func(path fieldpath.Path) bool { return w.Treat.drift(path) == fleet.DriftReport })
}

// Forces tells whether every field of the object may be taken from other managers.
func (w Wanted) Forces() bool {
	return w.Treat.Conflicts != nil && w.everywhere(func(path fieldpath.Path) bool { return w.Treat.conflicts(path) == fleet.ConflictsForce })
}

func (w Wanted) everywhere(holds func(fieldpath.Path) bool) bool {
	set, err := SentSet(w.Object)
	if err != nil {
		return false
	}
	all := true
	// This iterator panics when it is left early.
	for path := range set.Leaves().All() {
		all = all && (hidden(path) || identifies(path) || holds(path))
	}
	return all
}

// identifies tells of a field that it says which object it is, so that nobody can disagree on it.
func identifies(path fieldpath.Path) bool {
	name := func(i int, names ...string) bool {
		return len(path) > i && path[i].FieldName != nil && slices.Contains(names, *path[i].FieldName)
	}
	return len(path) == 1 && name(0, "apiVersion", "kind") || len(path) == 2 && name(0, "metadata") && name(1, "name", "namespace")
}

// Conflict is the error for fields that others own and that may not be taken; nil where all may be.
func (w Wanted) Conflict(contentions []Contention, drift bool) error {
	var conflicts []Contention
	for _, c := range contentions {
		path, err := fleet.ParsePath(c.Path)
		if err == nil && (drift && w.Treat.drift(path) != fleet.DriftReport || w.Treat.conflicts(path) == fleet.ConflictsForce) {
			continue
		}
		conflicts = append(conflicts, c)
	}
	if len(conflicts) == 0 {
		return nil
	}
	return &ConflictError{Contentions: conflicts}
}

func (t Treatment) conflicts(path fieldpath.Path) fleet.Conflicts {
	if t.Conflicts == nil {
		return fleet.ConflictsError
	}
	return t.Conflicts(path)
}

func (t Treatment) drift(path fieldpath.Path) fleet.Drift {
	if t.Drift == nil {
		return fleet.DriftCorrect
	}
	return t.Drift(path)
}

func (t Treatment) absorbs(manager string) bool { return t.Absorbs != nil && t.Absorbs(manager) }

// stance is what the object as it is means for what is sent.
type stance struct {
	// adopting tells that the object was there before the set.
	adopting bool
	// omit are fields that are not sent, and keep those of them whose live value is sent instead, because the set owns them.
	omit, keep *fieldpath.Set
	// release are fields that the set owns and is to own no longer.
	release *fieldpath.Set
	// drifted are the set's fields that somebody changed and that are to be corrected.
	drifted []Contention
	// reported are those that are to be left as they are.
	reported []Contention
	// yielded are fields that are left to other managers, with their names.
	yielded map[string]string
	// absorbed are the managers taken over from.
	absorbed []string
}

// judge looks at the object as it is.
func (s *Server) judge(w Wanted) (stance, error) {
	st := stance{omit: fieldpath.NewSet(), keep: fieldpath.NewSet(), release: fieldpath.NewSet(), yielded: map[string]string{}}
	if w.Live == nil {
		return st, nil
	}
	owners, err := Owners(w.Live)
	if err != nil {
		return st, err
	}
	own, err := OwnedSet(w.Live, s.Manager)
	if err != nil {
		return st, err
	}
	st.adopting = w.Prior == nil && w.Live.GetLabels()[fleet.PartOfLabel] == ""
	for path := range own.Leaves().All() {
		if fleet.MatchAny(w.Treat.Ignored, path) {
			st.release.Insert(path.Copy())
		}
	}
	if st.adopting {
		for _, o := range owners {
			if w.Treat.absorbs(o.Manager) {
				st.absorbed = append(st.absorbed, o.Manager)
			}
		}
	}
	if err := s.judgeFields(w, owners, own, &st); err != nil {
		return st, err
	}
	return st, s.judgeDrift(w, own, &st)
}

// judgeFields finds the fields that are left to others. Equal values count as well: sending them would make the set a silent
// owner, and break the next apply of the other.
func (s *Server) judgeFields(w Wanted, owners []Owner, own *fieldpath.Set, st *stance) error {
	if w.Treat.Conflicts == nil {
		return nil
	}
	sent, err := SentSet(w.Object)
	if err != nil {
		return err
	}
	for path := range sent.Leaves().All() {
		if hidden(path) || w.Treat.conflicts(path) != fleet.ConflictsYield {
			continue
		}
		other := ownerOf(owners, path, s.Manager)
		if other == nil || w.takenBack(fleet.FormatPath(path), *other) || st.adopting && w.Treat.absorbs(other.Manager) {
			continue
		}
		path = path.Copy()
		st.yielded[fleet.FormatPath(path)] = other.String()
		st.omit.Insert(path)
		if own.Has(path) {
			st.release.Insert(path)
		}
	}
	return nil
}

// judgeDrift finds the set's fields that are not as it applied them.
func (s *Server) judgeDrift(w Wanted, own *fieldpath.Set, st *stance) error {
	if w.Prior == nil || w.Record == nil {
		return nil
	}
	contentions, err := s.contend(w, *st)
	if err != nil {
		return err
	}
	for _, c := range contentions {
		if !c.Drift {
			continue
		}
		path, err := fleet.ParsePath(c.Path)
		if err != nil {
			return err
		}
		if w.Treat.drift(path) != fleet.DriftReport {
			st.drifted = append(st.drifted, c)
			continue
		}
		st.reported = append(st.reported, c)
		st.omit.Insert(path)
		if own.Has(path) {
			st.keep.Insert(path)
		}
	}
	return nil
}

// contend compares the object as it is with what the set wants of it, but for what is left to others.
func (s *Server) contend(w Wanted, st stance) ([]Contention, error) {
	wanted := Predict(w.Body, w.Sent, w.Record)
	for path := range st.yielded {
		delete(wanted, path)
	}
	contentions, err := Contend(w.Live, wanted, s.Manager, w.Mask)
	if err != nil {
		return nil, err
	}
	out := contentions[:0]
	for _, c := range contentions {
		if _, yielded := st.yielded[c.Path]; yielded {
			continue
		}
		c.Drift = w.drifted(c, st.adopting)
		out = append(out, c)
	}
	return out, nil
}

// drifted tells whether a difference is one that somebody made to what the set had applied, as against one that the manifest
// makes, or a field that is another's by right.
func (w Wanted) drifted(c Contention, adopting bool) bool {
	switch {
	case adopting:
		return false
	case c.Owner == nil || c.Owner.Self:
		return w.Record != nil && w.Record.Sent == w.Body
	}
	return w.takenBack(c.Path, *c.Owner)
}

// takenBack tells whether the other's claim on the field is one to correct: an Update of what the set had applied. Where nothing
// is known from before, as after a lost state or an import, everything on an object of the set counts as applied.
func (w Wanted) takenBack(path string, other Owner) bool {
	if other.Operation != metav1.ManagedFieldsOperationUpdate {
		return false
	}
	if w.Prior == nil || w.Record == nil {
		return w.Live.GetLabels()[fleet.PartOfLabel] != ""
	}
	_, ours := w.Prior[path]
	return ours
}
