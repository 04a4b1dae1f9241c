package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

func (s *site) planObject(ctx context.Context, w wanted, changing map[string]bool) (ObjectPlan, Problems) {
	if w.Unchanged() {
		return ObjectPlan{Fields: w.Prior}, nil
	}
	likely := w.difference(w.Predicted())
	guess := likely
	guess.Fields = nil
	if w.writeOnly {
		guess = w.resent()
	}
	if w.pending || s.coming[w.Key.Namespace] {
		// There is nothing to ask yet.
		return guess, nil
	}
	w.Live, w.Absent = s.seen.lookup(w.Key)
	out, err := s.server.Preview(ctx, w.Wanted)
	err = s.client.Classify(err)
	key := w.Key
	var immutable *ssa.ImmutableError
	switch {
	case err == nil:
	case missingNamespace(err):
		if s.runner.promisedNamespace(s.name, w.Key.Namespace) {
			return guess, nil
		}
		return guess, Problems{{Cluster: s.name, Object: &key, Warning: true,
			Err: fmt.Errorf("the namespace %s does not exist, and nothing in this run is known to create it", w.Key.Namespace)}}
	case errors.As(err, &immutable) && w.treat.ReplaceImmutable:
		return ObjectPlan{Action: ActionReplace, Changes: guess.Changes, Why: immutable.Message}, nil
	case changing[w.Object.GroupVersionKind().GroupKind().String()] && (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)):
		return guess, nil
	case lost(err):
		if !w.unsalted {
			// A digest with the salt of this process is another one in the next.
			guess.Fields = likely.Fields
		}
		return guess, Problems{{Cluster: s.name, Object: &key, Err: err, Warning: true}}
	default:
		// What cannot be done is not what would change, but for what somebody else has changed.
		plan := ObjectPlan{Fields: w.Prior}
		var conflict *ssa.ConflictError
		if errors.As(err, &conflict) {
			plan.Corrected = conflict.Drifted
		}
		return plan, Problems{{Cluster: s.name, Object: &key, Err: w.hides.redact(w.Object, err)}}
	}
	s.seen.notePreview(w.Key, out.Object)
	if out.Created {
		s.seen.note(w.Key, nil)
	} else if out.Live != nil {
		s.seen.note(w.Key, out.Live)
	}
	return w.planned(out, likely), nil
}

// planned is the plan for an object of which the API server has told what would become of it. plan is what was likely before.
func (w wanted) planned(out ssa.Outcome, plan ObjectPlan) ObjectPlan {
	switch {
	case w.writeOnly:
		plan = w.resent()
	case w.unsalted:
		plan.Fields = nil
	case w.Prior != nil && len(ssa.Diff(w.Prior, out.Fields)) == 0:
		plan = ObjectPlan{Fields: w.Prior}
	case out.Open, len(ssa.Diff(plan.Fields, out.Fields)) > 0:
		// What the API server makes of it could not be told without asking, so a second plan that cannot ask
		// could not repeat it.
		plan.Fields = nil
		if plan.Action == ActionNone {
			plan.Action = ActionUpdate
		}
	}
	if w.Record != nil && w.Record.Stale != "" {
		plan.Why = staleWords[w.Record.Stale]
		if plan.Action == ActionNone {
			plan.Action = ActionCorrect
		}
	}
	plan.Corrected, plan.Reported, plan.Forced = out.Corrected, out.Reported, out.Forced
	plan.Changes = slices.DeleteFunc(plan.Changes, func(d ssa.Difference) bool { _, yielded := out.Yielded[d.Path]; return yielded })
	for path, manager := range out.Yielded {
		if w.Record == nil || w.Record.Yielded[path] != manager {
			plan.yield(path, manager)
		}
	}
	if plan.Released = out.Released; len(plan.Released) > 0 && plan.Action == ActionNone {
		plan.Action = ActionUpdate
	}
	if w.Prior != nil || out.Live == nil {
		return plan
	}
	// State does not know the object, and it is there: somebody's, or the set's own from before.
	if plan.Changes = ssa.Diff(out.Before, out.Fields); w.writeOnly {
		plan.Changes = nil
	}
	switch {
	case out.Adopted:
		plan.Action, plan.Absorbed, plan.Dropped = ActionAdopt, out.Absorbed, out.Dropped
	case w.writeOnly, len(plan.Changes) > 0:
		plan.Action = ActionUpdate
	default:
		plan.Action = ActionNone
	}
	return plan
}

// resent is the plan for a write-only object that is to be sent. What it will be is not known, not even in digests: its content may be
// another at apply.
func (w wanted) resent() ObjectPlan {
	switch {
	case w.Prior == nil:
		return ObjectPlan{Action: ActionCreate}
	case w.Record != nil && w.Record.Sent == w.Body:
		return ObjectPlan{Action: ActionCorrect, Why: "it is not as it was sent"}
	}
	return ObjectPlan{Action: ActionUpdate, Why: "write-only content"}
}

func (o *ObjectPlan) yield(path, manager string) {
	if o.Yielded == nil {
		o.Yielded = map[string]string{}
	}
	o.Yielded[path] = manager
}

// staleWords say why an object is applied again of which no field changes.
var staleWords = map[ssa.Stale]string{
	ssa.StaleLabel:   "the label that says it belongs to the set is gone",
	ssa.StaleUID:     "somebody deleted it and created it anew",
	ssa.StaleRefused: "the cluster's agent could not apply it as it is, or is told to treat it in another way",
	ssa.StaleYield:   "the manager that a field was left to has given it up",
}

// difference is the plan for an object that will have the fields.
func (w wanted) difference(fields ssa.Fields) ObjectPlan {
	plan := ObjectPlan{Fields: fields}
	if w.Prior == nil {
		plan.Action = ActionCreate
		return plan
	}
	if w.Prior.IsUnread() {
		// What it was is not known, and so neither what changes.
		plan.Action = ActionUpdate
		return plan
	}
	differences := ssa.Diff(w.Prior, fields)
	for _, d := range differences {
		// A field that is given up keeps its value.
		if path, err := fleet.ParsePath(d.Path); err != nil || d.To != "" || !fleet.MatchAny(w.treat.ignored, path) {
			plan.Changes = append(plan.Changes, d)
		}
	}
	switch {
	case len(differences) == 0:
	case w.Record != nil && w.Record.Sent == w.Body:
		plan.Action = ActionCorrect
	default:
		plan.Action = ActionUpdate
	}
	return plan
}

// missingNamespace tells an object whose namespace is missing from an object that is missing itself.
func missingNamespace(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Kind == "namespaces"
}
