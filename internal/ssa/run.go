package ssa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Preview tells by a dry run what applying the object would make of it. It fails with *ConflictError, *ForeignError or
// *ImmutableError where Apply would.
func (s *Server) Preview(ctx context.Context, w Wanted) (Outcome, error) {
	return s.run(ctx, w, true)
}

// Apply makes the object as wanted, taking from other managers exactly what the treatment allows.
func (s *Server) Apply(ctx context.Context, w Wanted) (Outcome, error) {
	return s.run(ctx, w, false)
}

func (s *Server) run(ctx context.Context, w Wanted, dryRun bool) (Outcome, error) {
	if w.Live == nil && !w.Absent && w.needsLive(dryRun) {
		out, done, err := s.look(ctx, &w, dryRun)
		if done || err != nil {
			return out, err
		}
	}
	out := Outcome{Live: w.Live}
	if err := w.foreign(); err != nil {
		return out, err
	}
	st, err := s.judge(w)
	if err != nil {
		return out, err
	}
	if out.Adopted = st.adopting; out.Adopted {
		if err := s.mayAdopt(ctx, w, st); err != nil {
			return out, err
		}
	}
	if err := st.tell(w, &out); err != nil {
		return out, err
	}
	if !dryRun && (!st.release.Empty() || len(st.absorbed) > 0) {
		if w.Live, err = s.takeOver(ctx, w, st); err != nil {
			return out, err
		}
	}
	got, created, err := s.send(ctx, &w, st, &out, dryRun)
	if err != nil {
		return out, err
	}
	out.Object, out.Created = got, created
	return out, s.project(w, st, &out)
}

// needsLive tells whether the object has to be read before anything can be said. Without a record only the object itself tells
// whether it has the creation mark, which an apply must repeat.
func (w Wanted) needsLive(dryRun bool) bool {
	return w.Prior == nil || w.Record == nil && !dryRun || w.Treat.Conflicts != nil || w.Treat.Drift != nil || w.ignores()
}

// ignores tells whether the set may still own a field that is to be ignored.
func (w Wanted) ignores() bool {
	for text := range w.Prior {
		if path, err := fleet.ParsePath(text); err == nil && fleet.MatchAny(w.Treat.Ignored, path) {
			return true
		}
	}
	return false
}

// look reads the object. Most objects that nothing is known of do not exist, and a dry run alone tells.
func (s *Server) look(ctx context.Context, w *Wanted, dryRun bool) (out Outcome, done bool, err error) {
	var refused error
	if dryRun && w.Prior == nil {
		got, created, err := s.Send(ctx, w.Resource, w.Object, ApplyOptions{DryRun: true})
		if err == nil && created {
			out.Object, out.Created = got, true
			return out, true, s.project(*w, stance{}, &out)
		}
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
			return out, true, err
		}
		refused = err
	}
	live, err := s.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name)
	if apierrors.IsNotFound(err) && refused != nil {
		return out, true, refused
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return out, true, err
	}
	w.Live, w.Absent = live, live == nil
	return out, false, nil
}

// tell notes what the stance means for people.
func (st stance) tell(w Wanted, out *Outcome) error {
	out.Corrected, out.Reported, out.Yielded, out.Absorbed = st.drifted, st.reported, st.yielded, st.absorbed
	for path := range st.release.Leaves().All() {
		out.Released = append(out.Released, fleet.FormatPath(path))
	}
	slices.Sort(out.Released)
	if len(st.absorbed) == 0 {
		return nil
	}
	dropped, err := st.dropped(w)
	if err != nil {
		return err
	}
	out.Dropped = Diff(Project(w.Live, dropped, w.Mask), nil)
	return nil
}

// body is what is sent. A dry run cannot give up a field first, so it sends the field as it is.
func (s *Server) body(w Wanted, st stance, dryRun bool) *unstructured.Unstructured {
	body := s.marked(w)
	if w.Live == nil {
		return body
	}
	body = without(body, st.omit)
	keep := st.keep
	if dryRun {
		keep = keep.Union(st.release)
	}
	return grafted(body, w.Live, keep)
}

// sameAttempts is how often an apply by force is repeated because the object changed in a way that makes no difference, as
// by a controller that writes its status.
const sameAttempts = 5

// send applies unforced first, and by force where all that is in the way may be taken.
func (s *Server) send(ctx context.Context, w *Wanted, st stance, out *Outcome, dryRun bool) (got *unstructured.Unstructured, created bool, err error) {
	body := s.body(*w, st, dryRun)
	got, created, err = s.Send(ctx, w.Resource, body, ApplyOptions{DryRun: dryRun})
	var forced []Contention
	for attempt := 0; apierrors.IsConflict(err); attempt++ {
		if w.Live == nil || attempt > 0 {
			if w.Live, err = s.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name); err != nil {
				return nil, false, err
			}
			if err = w.foreign(); err != nil {
				return nil, false, err
			}
			if st, err = s.judge(*w); err != nil {
				return nil, false, err
			}
			if err = st.tell(*w, out); err != nil {
				return nil, false, err
			}
			body = s.body(*w, st, dryRun)
			// What was left out or kept may be all that was in the way.
			if got, created, err = s.Send(ctx, w.Resource, body, ApplyOptions{DryRun: dryRun}); !apierrors.IsConflict(err) {
				break
			}
		}
		taken, verr := s.mayForce(*w, st, err)
		if verr != nil {
			return nil, false, verr
		}
		if attempt > sameAttempts || attempt > 0 && !sameContentions(forced, taken) {
			return nil, false, fmt.Errorf("the object changed since the plan, and keeps changing: %w; apply again", err)
		}
		forced = taken
		out.Live, out.Forced = w.Live, w.onlyForced(taken, st)
		strong := body.DeepCopy()
		if !dryRun {
			// What was judged must be what is overwritten.
			strong.SetResourceVersion(w.Live.GetResourceVersion())
		}
		got, created, err = s.Send(ctx, w.Resource, strong, ApplyOptions{DryRun: dryRun, Force: true})
	}
	if err != nil {
		if w.Prior != nil || w.Live != nil {
			err = s.immutable(ctx, *w, err)
		}
		return nil, false, err
	}
	return s.mark(ctx, w, st, body, got, created, out, dryRun)
}

// mark puts the creation mark right where it turned out only now who created the object.
func (s *Server) mark(ctx context.Context, w *Wanted, st stance, body, got *unstructured.Unstructured, created bool, out *Outcome, dryRun bool) (*unstructured.Unstructured, bool, error) {
	var err error
	_, marked := body.GetAnnotations()[fleet.CreatedAnnotation]
	switch {
	case dryRun:
	case !created && w.Live == nil && w.Record == nil:
		// Somebody created it in the meantime: it is theirs, so the mark must go again.
		out.Adopted = true
		got, _, err = s.Send(ctx, w.Resource, w.Object.DeepCopy(), ApplyOptions{})
	case created && !marked:
		// It was gone, and this apply created it: now it is the set's own.
		w.Live, w.Absent = nil, true
		got, _, err = s.Send(ctx, w.Resource, s.body(*w, st, dryRun), ApplyOptions{})
	}
	return got, created, err
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

// mayForce judges what stands in the way of an apply. Force overrides every cause that the API server names, so each has to be
// drift, or a field that may be taken.
func (s *Server) mayForce(w Wanted, st stance, refused error) (taken []Contention, err error) {
	contentions, err := s.contend(w, st)
	if err != nil {
		return nil, err
	}
	more, err := s.causes(w, st, contentions, refused)
	if err != nil {
		return nil, err
	}
	var conflicts []Contention
	for _, c := range append(contentions, more...) {
		path, err := fleet.ParsePath(c.Path)
		switch {
		case err != nil:
			// A cause that is no field of the manifest; only the API server knows what it means.
			conflicts = append(conflicts, c)
		case c.Owner == nil || c.Owner.Self || st.omit.Has(path):
		case c.Drift, st.adopting && w.Treat.absorbs(c.Owner.Manager), w.Treat.conflicts(path) == fleet.ConflictsForce:
			taken = append(taken, c)
		default:
			conflicts = append(conflicts, c)
		}
	}
	if len(conflicts) > 0 {
		return nil, &ConflictError{Contentions: conflicts, Drifted: st.drifted}
	}
	return taken, nil
}

// causes are what the API server names beyond the contentions: fields whose values are the same in other words ("0.5" and "500m"),
// which to it are different, and what else there may be.
func (s *Server) causes(w Wanted, st stance, contentions []Contention, refused error) ([]Contention, error) {
	var status apierrors.APIStatus
	if !errors.As(refused, &status) || status.Status().Details == nil {
		return nil, nil
	}
	sent, err := SentSet(w.Object)
	if err != nil {
		return nil, err
	}
	owners, err := Owners(w.Live)
	if err != nil {
		return nil, err
	}
	// The API server prints paths in another grammar, which does not quote names; it can be written but not read.
	fields := map[string]fieldpath.Path{}
	for path := range sent.Leaves().All() {
		fields[path.String()] = path.Copy()
	}
	known := map[string]bool{fieldpath.MakePathOrDie("metadata", "annotations", fleet.CreatedAnnotation).String(): true}
	for _, c := range contentions {
		if path, err := fleet.ParsePath(c.Path); err == nil {
			known[path.String()] = true
		}
	}
	var out []Contention
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict || known[cause.Field] {
			continue
		}
		known[cause.Field] = true
		c := Contention{Owner: &Owner{Manager: strings.TrimPrefix(cause.Message, "conflict with "), Operation: metav1.ManagedFieldsOperationApply}}
		c.Path = strings.TrimPrefix(cause.Field, ".")
		if path, ok := fields[cause.Field]; ok {
			one := fieldpath.NewSet(path)
			c.Path = fleet.FormatPath(path)
			c.From, c.To = Project(w.Live, one, w.Mask)[c.Path], w.Sent[c.Path]
			if owner := ownerOf(owners, path, s.Manager); owner != nil {
				c.Owner = owner
			}
		}
		c.Drift = w.drifted(c, st.adopting)
		out = append(out, c)
	}
	return out, nil
}

func sameContentions(a, b []Contention) bool {
	return slices.EqualFunc(a, b, func(x, y Contention) bool {
		return x.Difference == y.Difference && x.Owner.String() == y.Owner.String()
	})
}

// onlyForced are those that are neither drift nor taken over with an adoption.
func (w Wanted) onlyForced(taken []Contention, st stance) []Contention {
	return slices.DeleteFunc(slices.Clone(taken), func(c Contention) bool {
		return c.Drift || st.adopting && w.Treat.absorbs(c.Owner.Manager)
	})
}

// project reads what the set owns in the result, with what is reported and without what it leaves to others.
func (s *Server) project(w Wanted, st stance, out *Outcome) error {
	var reported []string
	for _, c := range st.reported {
		reported = append(reported, c.Path)
	}
	fields, err := Result(out.Object, s.Manager, reported, w.Mask)
	if err != nil {
		return err
	}
	for text := range fields {
		path, err := fleet.ParsePath(text)
		if err != nil {
			return err
		}
		if _, yielded := st.yielded[text]; yielded || fleet.MatchAny(w.Treat.Ignored, path) {
			delete(fields, text)
		}
	}
	out.Fields = fields
	if w.Live != nil {
		set, err := OwnedSet(out.Object, s.Manager)
		if err != nil {
			return err
		}
		out.Before = Project(w.Live, set, w.Mask)
	}
	out.Recorded = Recorded(fields, st.reported)
	return nil
}
