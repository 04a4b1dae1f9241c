package deploy

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Policy says how the set treats objects and fields that are not only its own. The zero value is the defaults.
type Policy struct {
	// Existing is for objects that were there before the set, and OnAdopted for the end of those it adopted.
	Existing  fleet.Existing
	OnAdopted fleet.OnAdopted
	// Conflicts is for fields that another manager owns, and Drift for the set's own fields that somebody changed.
	Conflicts fleet.Conflicts
	Drift     fleet.Drift
	// Missing is for objects of the set's that are gone.
	Missing fleet.Missing
	// Unserved is for objects whose kind a cluster does not serve.
	Unserved fleet.Unserved
	// Deletion is for objects the set created and no longer wants.
	Deletion fleet.Deletion
	// ReplaceImmutable tells to delete and create an object whose change the API server does not allow.
	ReplaceImmutable bool
}

// Rule is a policy for some objects, clusters or fields. What it leaves empty it does not speak of.
type Rule struct {
	Target manifest.Target
	// Clusters chooses clusters; nil chooses all.
	Clusters *placement.Selector
	// Paths restricts Conflicts and Drift to some fields; empty is all fields.
	Paths []fleet.Pattern

	Existing  fleet.Existing
	OnAdopted fleet.OnAdopted
	Conflicts fleet.Conflicts
	Drift     fleet.Drift
	Missing   fleet.Missing
	Unserved  fleet.Unserved
	Deletion  fleet.Deletion
	// ReplaceImmutable is nil where the rule does not speak of it.
	ReplaceImmutable *bool
}

// FieldRule names fields of some objects on some clusters.
type FieldRule struct {
	Target   manifest.Target
	Clusters *placement.Selector
	Paths    []fleet.Pattern
}

// Limits bound what a plan may do; nil is no bound.
type Limits struct {
	// Deletions is how many objects may be deleted, replaced ones included.
	Deletions *int64
	// Clusters is how many clusters may be touched.
	Clusters *int64
}

// treatment is what the policy, the rules and the field lists of a set come to for one object on one cluster.
type treatment struct {
	Policy
	rules     []Rule
	ignored   []fleet.Pattern
	sensitive []fleet.Pattern
}

// Undecided tells whether it depends on something unknown about the cluster which rules hold there.
func (s Set) Undecided(c fleet.Cluster, unknown placement.Unknown) (bool, error) {
	var selectors []*placement.Selector
	for _, r := range s.Rules {
		selectors = append(selectors, r.Clusters)
	}
	for _, r := range slices.Concat(s.Ignore, s.Sensitive) {
		selectors = append(selectors, r.Clusters)
	}
	for _, selector := range selectors {
		if selector == nil {
			continue
		}
		verdict, err := selector.Judge(c, unknown)
		if err != nil || verdict.Outcome == placement.Undecided {
			return err == nil, err
		}
	}
	return false, nil
}

// treat resolves what holds for an object on a cluster: of the rules that choose it, the first that says a word decides
// that word.
func (s Set) treat(c fleet.Cluster, key fleet.ObjectKey, labels map[string]string) (treatment, error) {
	t := treatment{Policy: s.Policy}
	chosen := func(target manifest.Target, clusters *placement.Selector) (bool, error) {
		if !target.Matches(key, labels) || clusters == nil {
			return target.Matches(key, labels), nil
		}
		ok, _, err := clusters.Match(c)
		return ok, err
	}
	for _, r := range s.Rules {
		ok, err := chosen(r.Target, r.Clusters)
		if err != nil {
			return t, err
		}
		if ok {
			t.rules = append(t.rules, r)
		}
	}
	for _, r := range s.Ignore {
		ok, err := chosen(r.Target, r.Clusters)
		if err != nil {
			return t, err
		}
		if ok {
			t.ignored = append(t.ignored, r.Paths...)
		}
	}
	for _, r := range s.Sensitive {
		ok, err := chosen(r.Target, r.Clusters)
		if err != nil {
			return t, err
		}
		if ok {
			t.sensitive = append(t.sensitive, r.Paths...)
		}
	}
	t.Existing = first(t.rules, func(r Rule) fleet.Existing { return r.Existing }, s.Policy.Existing, fleet.ExistingIfSame)
	t.OnAdopted = first(t.rules, func(r Rule) fleet.OnAdopted { return r.OnAdopted }, s.Policy.OnAdopted, fleet.OnAdoptedRelease)
	t.Missing = first(t.rules, func(r Rule) fleet.Missing { return r.Missing }, s.Policy.Missing, fleet.MissingRecreate)
	t.Unserved = first(t.rules, func(r Rule) fleet.Unserved { return r.Unserved }, s.Policy.Unserved, fleet.UnservedError)
	t.Deletion = first(t.rules, func(r Rule) fleet.Deletion { return r.Deletion }, s.Policy.Deletion, fleet.DeletionDelete)
	for _, r := range t.rules {
		if r.ReplaceImmutable != nil {
			t.ReplaceImmutable = *r.ReplaceImmutable
			break
		}
	}
	return t, nil
}

// first is the word of the first rule that says one, else the set's, else the default.
func first[W ~string](rules []Rule, word func(Rule) W, set, otherwise W) W {
	for _, r := range rules {
		if w := word(r); w != "" {
			return w
		}
	}
	return cmp.Or(set, otherwise)
}

// conflicts is what to do where another manager owns the field.
func (t treatment) conflicts(path fieldpath.Path) fleet.Conflicts {
	return firstAt(t.rules, path, func(r Rule) fleet.Conflicts { return r.Conflicts }, t.Conflicts, fleet.ConflictsError)
}

// drift is what to do where somebody changed the field.
func (t treatment) drift(path fieldpath.Path) fleet.Drift {
	return firstAt(t.rules, path, func(r Rule) fleet.Drift { return r.Drift }, t.Drift, fleet.DriftCorrect)
}

func firstAt[W ~string](rules []Rule, path fieldpath.Path, word func(Rule) W, set, otherwise W) W {
	for _, r := range rules {
		if w := word(r); w != "" && (len(r.Paths) == 0 || fleet.MatchAny(r.Paths, path)) {
			return w
		}
	}
	return cmp.Or(set, otherwise)
}

// onFields is the treatment of an object's fields, in the terms of the ssa package. What is the default everywhere stays nil, which
// saves reading the object first.
func (t treatment) onFields(s Set) ssa.Treatment {
	on := ssa.Treatment{Existing: t.Existing, Ignored: t.ignored, Absorbs: s.absorbs, ReplaceImmutable: t.ReplaceImmutable}
	on.Stays = func(created bool) bool { return t.removal(created) == ActionRelease }
	asks := func(speaks func(Rule) bool) bool { return slices.ContainsFunc(t.rules, speaks) }
	if cmp.Or(t.Conflicts, fleet.ConflictsError) != fleet.ConflictsError || asks(func(r Rule) bool { return r.Conflicts != "" }) {
		on.Conflicts = t.conflicts
	}
	if cmp.Or(t.Drift, fleet.DriftCorrect) != fleet.DriftCorrect || asks(func(r Rule) bool { return r.Drift != "" }) {
		on.Drift = t.drift
	}
	return on
}

// Yields tells whether any field of the set's may be left to another manager.
func (s Set) Yields() bool {
	return s.Policy.Conflicts == fleet.ConflictsYield || slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.Conflicts == fleet.ConflictsYield })
}

// yields names the fields of the object that are left to others who own them. It is part of what an apply asks for: a field that is
// to be left from now on has to be given up, and one no longer left taken.
func (t treatment) yields(obj *unstructured.Unstructured) string {
	if t.Conflicts != fleet.ConflictsYield && !slices.ContainsFunc(t.rules, func(r Rule) bool { return r.Conflicts == fleet.ConflictsYield }) {
		return ""
	}
	set, err := ssa.SentSet(obj)
	if err != nil {
		return ""
	}
	var paths []string
	for path := range set.Leaves().All() {
		if t.conflicts(path) == fleet.ConflictsYield {
			paths = append(paths, fleet.FormatPath(path))
		}
	}
	slices.Sort(paths)
	return strings.Join(paths, "\x00")
}

// removal is what becomes of an object of the set's that is no longer wanted. created tells whether the set created it.
func (t treatment) removal(created bool) Action {
	switch {
	case created && t.Deletion == fleet.DeletionDelete, !created && t.OnAdopted == fleet.OnAdoptedDelete:
		return ActionDelete
	}
	return ActionRelease
}

// absorbs tells whether the set takes over from the manager when it adopts an object.
func (s Set) absorbs(manager string) bool {
	for _, glob := range s.Absorb {
		if glob.Match(manager) {
			return !strings.HasPrefix(manager, managerPrefix)
		}
	}
	return false
}

// propagation is how dependents of a deleted object are deleted.
func (s Set) propagation() metav1.DeletionPropagation {
	return cmp.Or(s.Propagation, metav1.DeletePropagationForeground)
}
