package ssa

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Wanted is one object as it should be on one cluster, with what is known of it from before.
type Wanted struct {
	// Key identifies the object.
	Key fleet.ObjectKey
	// Resource is where it is served.
	Resource Resource
	// Object is the whole body without the creation mark; its part-of label names the set.
	Object *unstructured.Unstructured
	// Sent are the body's fields, as Sent computes them.
	Sent Fields
	// Body is the digest of what the user asked for.
	Body string
	// Record is what the last apply noted; nil where there was none.
	Record *Record
	// Prior are the live values that the last read found of what the set had applied; nil where the object was
	// not there.
	Prior Fields
	// Live is the object as last read; nil where it is not known or not there.
	Live *unstructured.Unstructured
	// Absent says that the object was just seen not to exist.
	Absent bool
	// Mask hides secret values.
	Mask Mask
}

// Predicted is what the fields will be, by Predict.
func (w Wanted) Predicted() Fields { return Predict(w.Body, w.Sent, w.Record) }

// Unchanged tells, without asking the cluster, that the object is as it was applied and applied as it is wanted.
func (w Wanted) Unchanged() bool {
	return w.Record != nil && w.Prior != nil && w.Record.Sent == w.Body && w.Record.Result == w.Prior.Hash() && w.Record.Stale == ""
}

// Outcome is what an apply, or its dry run, made of an object.
type Outcome struct {
	// Object is what the API server answered.
	Object *unstructured.Unstructured
	// Fields are the values of what the set owns in it.
	Fields Fields
	// Created tells that the object did not exist.
	Created bool
	// Adopted tells that the object existed and belonged to no set.
	Adopted bool
	// Corrected are the drifted fields that were, or would be, taken back.
	Corrected []Contention
	// Live is the object as it was before, where it had to be read.
	Live *unstructured.Unstructured
}

// ConflictError says that other managers own fields with other values, and that nothing was written.
type ConflictError struct {
	Contentions []Contention
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
	// Differences are the fields that adopting would change.
	Differences []Difference
}

func (e *ForeignError) Error() string {
	if e.Set != "" {
		return fmt.Sprintf("the object belongs to another set (%s=%s); an object belongs to one set only", fleet.PartOfLabel, e.Set)
	}
	lines := make([]string, 0, len(e.Differences))
	for _, d := range e.Differences {
		lines = append(lines, fmt.Sprintf("%s is %s, wanted %s", d.Path, shown(d.From), shown(d.To)))
	}
	return "the object was there before this set and differs from what the set wants: " + strings.Join(lines, "; ") +
		". An object is adopted only where it is the same: make the manifest equal to it, or delete or rename it"
}

func shown(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// Preview tells by a dry run what applying the object would make of it. It fails with *ConflictError or *ForeignError
// where Apply would.
func (s *Server) Preview(ctx context.Context, w Wanted) (Outcome, error) {
	return s.run(ctx, w, true)
}

// Apply makes the object as wanted. Fields that an Update took from the set are taken back; anything else that
// another manager holds is a *ConflictError.
func (s *Server) Apply(ctx context.Context, w Wanted) (Outcome, error) {
	return s.run(ctx, w, false)
}

func (s *Server) run(ctx context.Context, w Wanted, dryRun bool) (Outcome, error) {
	var out Outcome
	known := w.Prior != nil
	// Without a record only the object itself tells whether it has the creation mark, which an apply must repeat.
	if w.Live == nil && !w.Absent && (!known || w.Record == nil && !dryRun) {
		if dryRun {
			// Most objects that nothing is known of do not exist, and the dry run alone tells.
			got, created, err := s.Send(ctx, w.Resource, w.Object, ApplyOptions{DryRun: true})
			if err == nil && created {
				out.Object, out.Created = got, true
				out.Fields, err = Result(got, s.Manager, nil, w.Mask)
				return out, err
			}
			if err != nil && !apierrors.IsConflict(err) {
				return out, err
			}
		}
		live, err := s.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name)
		if err != nil && !apierrors.IsNotFound(err) {
			return out, err
		}
		w.Live, w.Absent = live, live == nil
	}
	out.Live = w.Live
	if w.Live != nil {
		if set := w.Live.GetLabels()[fleet.PartOfLabel]; set != w.Object.GetLabels()[fleet.PartOfLabel] {
			if set != "" {
				return out, &ForeignError{Set: set}
			}
			out.Adopted = !known
		}
	}
	if out.Adopted {
		if err := s.same(ctx, w); err != nil {
			return out, err
		}
	}
	body := s.marked(w)
	got, created, err := s.Send(ctx, w.Resource, body, ApplyOptions{DryRun: dryRun})
	if apierrors.IsConflict(err) {
		got, out.Live, out.Corrected, err = s.correct(ctx, w, body, err, dryRun)
	}
	if err != nil {
		return out, err
	}
	if !created && !dryRun && w.Live == nil && w.Record == nil {
		// Somebody created it in the meantime: it is theirs, so the mark must go again.
		plain := w.Object.DeepCopy()
		if got, _, err = s.Send(ctx, w.Resource, plain, ApplyOptions{}); err != nil {
			return out, err
		}
		out.Adopted = true
	}
	if created && !dryRun && body == w.Object {
		// It was gone, and this apply created it: now it is the set's own.
		w.Absent = true
		if got, _, err = s.Send(ctx, w.Resource, s.marked(w), ApplyOptions{}); err != nil {
			return out, err
		}
	}
	out.Object, out.Created = got, created
	out.Fields, err = Result(got, s.Manager, nil, w.Mask)
	return out, err
}

// marked adds the creation mark where the object is, or is about to be, created by the set.
func (s *Server) marked(w Wanted) *unstructured.Unstructured {
	created := w.Absent || w.Prior != nil && w.Record != nil && w.Record.Created
	if w.Live != nil {
		_, created = w.Live.GetAnnotations()[fleet.CreatedAnnotation]
	}
	if !created {
		return w.Object
	}
	body := w.Object.DeepCopy()
	annotations := body.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[fleet.CreatedAnnotation] = "true"
	body.SetAnnotations(annotations)
	return body
}

// same refuses to adopt an object that applying would change.
func (s *Server) same(ctx context.Context, w Wanted) error {
	got, _, err := s.Send(ctx, w.Resource, w.Object, ApplyOptions{DryRun: true, Force: true})
	if err != nil {
		return err
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

// correct repeats an apply that another manager's claims have stopped, by force if all of them are drift.
func (s *Server) correct(ctx context.Context, w Wanted, body *unstructured.Unstructured, refused error, dryRun bool) (got, live *unstructured.Unstructured, corrected []Contention, err error) {
	live, err = s.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name)
	if err != nil {
		return nil, nil, nil, err
	}
	if set := live.GetLabels()[fleet.PartOfLabel]; set != "" && set != w.Object.GetLabels()[fleet.PartOfLabel] {
		return nil, live, nil, &ForeignError{Set: set}
	}
	contentions, err := Contend(live, w.Predicted(), s.Manager, w.ours, w.Mask)
	if err != nil {
		return nil, live, nil, err
	}
	var conflicts []Contention
	for _, c := range contentions {
		switch {
		case c.Owner != nil && !c.Drift:
			conflicts = append(conflicts, c)
		case c.Drift:
			corrected = append(corrected, c)
		}
	}
	// Force overrides every cause, so each has to be among what was judged.
	if conflicts = append(conflicts, unjudged(refused, corrected)...); len(conflicts) > 0 {
		return nil, live, nil, &ConflictError{Contentions: conflicts}
	}
	forced := body.DeepCopy()
	if !dryRun {
		// What was judged must be what is overwritten.
		forced.SetResourceVersion(live.GetResourceVersion())
	}
	got, _, err = s.Send(ctx, w.Resource, forced, ApplyOptions{DryRun: dryRun, Force: true})
	return got, live, corrected, err
}

// unjudged are the causes of a refusal that are not among the contentions.
func unjudged(refused error, judged []Contention) []Contention {
	var status apierrors.APIStatus
	if !errors.As(refused, &status) || status.Status().Details == nil {
		return nil
	}
	// The API server prints paths in another grammar, which does not quote names; it can be written but not read.
	known := map[string]bool{fieldpath.MakePathOrDie("metadata", "annotations", fleet.CreatedAnnotation).String(): true}
	for _, c := range judged {
		if path, err := fleet.ParsePath(c.Path); err == nil {
			known[path.String()] = true
		}
	}
	var out []Contention
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict || known[cause.Field] {
			continue
		}
		out = append(out, Contention{Difference: Difference{Path: strings.TrimPrefix(cause.Field, ".")}, Owner: &Owner{Manager: strings.TrimPrefix(cause.Message, "conflict with "), Operation: metav1.ManagedFieldsOperationApply}})
	}
	return out
}

// ours tells whether the set had applied the field before. Where nothing is known from before, as after a lost state or an
// import, everything on an object of the set counts.
func (w Wanted) ours(path string) bool {
	if w.Prior == nil || w.Record == nil {
		return true
	}
	_, ok := w.Prior[path]
	return ok
}
