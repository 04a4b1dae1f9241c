package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// notServedError says that the cluster does not serve a kind in a version.
type notServedError struct {
	kind schema.GroupVersionKind
	// minor is the cluster's Kubernetes version, such as 1.36; empty where it was not asked.
	minor string
	// offers says what it serves instead.
	offers string
	// guess says what may be meant where no cluster of the set serves the kind.
	guess string
	// versions are the versions in which it serves the kind.
	versions []string
	// elsewhere are the set's clusters that do serve it.
	elsewhere []string
}

func (e *notServedError) Error() string {
	text := "the cluster"
	if e.minor != "" {
		text += " (Kubernetes " + e.minor + ")"
	}
	text += fmt.Sprintf(" does not serve %s %s", e.kind.GroupVersion(), e.kind.Kind)
	if e.offers != "" {
		text += "; " + e.offers
	}
	switch len(e.elsewhere) {
	case 0:
		return text + e.guess
	case 1:
		text += "; " + e.elsewhere[0] + " serves it"
	default:
		text += "; " + strings.Join(e.elsewhere, ", ") + " serve it"
	}
	return text + ". To leave the object out where it is not served: unserved = \"skip\""
}

func notServed(kind schema.GroupVersionKind, version cluster.Version, served *cluster.Discovery) *notServedError {
	e := &notServedError{kind: kind, minor: version.Minor, versions: served.Versions(kind.GroupKind())}
	var groups, names []string
	for other := range served.Kinds {
		names = append(names, other.Kind)
		if other.Kind == kind.Kind && other.Group != kind.Group {
			groups = append(groups, other.GroupVersion().String())
		}
	}
	slices.Sort(groups)
	like := fleet.Closest(kind.Kind, slices.Compact(slices.Sorted(slices.Values(names))))
	switch {
	case len(e.versions) > 0:
		e.offers = fmt.Sprintf("it serves %s in version %s", kind.GroupKind(), strings.Join(e.versions, ", "))
	case len(groups) > 0:
		e.offers = fmt.Sprintf("it serves a kind %s in %s", kind.Kind, strings.Join(groups, ", "))
	case like != "":
		var in []string
		for other := range served.Kinds {
			if other.Kind == like {
				in = append(in, other.GroupVersion().String())
			}
		}
		slices.Sort(in)
		e.guess = fmt.Sprintf("; did you mean %s, which it serves in %s?", like, strings.Join(in, ", "))
	default:
		e.guess = "; it serves no kind of this name, so a CustomResourceDefinition may be missing"
	}
	return e
}

// Skip is what is noted of a kind that a cluster does not serve and whose objects are left out there.
type Skip struct {
	// Why says what is not served.
	Why string `json:"w"`
	// Versions tells that the kind is served in other versions, in which an object of before lives on.
	Versions bool `json:"v,omitempty"`
	// Objects are those that are left out, as their keys print, sorted.
	Objects []string `json:"o,omitempty"`
}

// skipped is an object that one cluster is not to have.
type skipped struct {
	Skip
	key  fleet.ObjectKey
	kind string
}

// skipError says that an object is to be left out.
type skipError struct{ skipped }

func (e *skipError) Error() string { return e.Why }

// kindID names a kind in a version where Applied notes it.
func kindID(kind schema.GroupVersionKind) string {
	return kind.GroupVersion().String() + " " + kind.Kind
}

// unserved turns the error of an object whose kind is not served into a skipError where it is to be left out.
func (s Set) unserved(prior ClusterState, o manifest.Object, err error) error {
	var not *notServedError
	if !errors.As(err, &not) {
		return err
	}
	key := s.likelyKey(prior, o)
	treat, terr := s.treat(prior.Cluster, key, o.GetLabels())
	if terr != nil {
		return fmt.Errorf("%s: %w", o.Position, terr)
	}
	if treat.Unserved != fleet.UnservedSkip {
		return err
	}
	skip := Skip{Why: fmt.Sprintf("%s is not served", not.kind.GroupVersion()), Versions: len(not.versions) > 0}
	if skip.Versions {
		skip.Why += ", only " + strings.Join(not.versions, ", ")
	}
	if noted, ok := prior.Applied.Skipped[kindID(not.kind)]; ok && not.minor == "" {
		skip = noted
	}
	return &skipError{skipped{Skip: skip, key: key, kind: kindID(not.kind)}}
}

// likelyKey is the object's key where the cluster cannot tell whether the kind is namespaced.
func (s Set) likelyKey(prior ClusterState, o manifest.Object) fleet.ObjectKey {
	key := o.Key
	served, known := prior.Applied.Kinds[o.GroupVersionKind().GroupKind().String()]
	if prior.Objects[key] == nil && key.Namespace == "" && !slices.Contains(clusterScoped, key.Kind) && (!known || served.Namespaced) {
		key.Namespace = s.Namespace
	}
	return key
}

// noted is what state noted of a kind that the cluster does not serve.
func (a Applied) noted(kind schema.GroupVersionKind) error {
	if skip, ok := a.Skipped[kindID(kind)]; ok {
		return &notServedError{kind: kind, offers: skip.Why}
	}
	return nil
}

// skip leaves objects out of the plan. One that lives on in another version stays as it is, and one whose API is gone is gone, too.
func (c *ClusterPlan) skip(skips []skipped, prior ClusterState) {
	c.Skipped = map[fleet.ObjectKey]string{}
	for _, one := range skips {
		c.Skipped[one.key] = one.Why
		fields, there := prior.Objects[one.key]
		switch {
		case there && one.Versions:
			c.Objects[one.key] = ObjectPlan{Fields: fields}
		case there:
			c.Objects[one.key] = ObjectPlan{Action: ActionForget}
		}
	}
	same := func(a, b Skip) bool { return slices.Equal(a.Objects, b.Objects) }
	if !maps.EqualFunc(prior.Applied.Skipped, notedSkips(skips), same) {
		c.Noted = true
	}
}

// SkippedMessage is what the status says of what is left out; empty where nothing is.
func (c ClusterPlan) SkippedMessage() string {
	var keys []string
	for key := range c.Skipped {
		keys = append(keys, key.String())
	}
	return skippedMessage(keys)
}

func (a Applied) skippedMessage() string {
	var keys []string
	for _, skip := range a.Skipped {
		keys = append(keys, skip.Objects...)
	}
	return skippedMessage(keys)
}

func skippedMessage(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	slices.Sort(keys)
	return "skipped, not served: " + strings.Join(keys, ", ")
}

func notedSkips(skips []skipped) map[string]Skip {
	var noted map[string]Skip
	for _, one := range skips {
		if noted == nil {
			noted = map[string]Skip{}
		}
		skip := one.Skip
		skip.Objects = append(noted[one.kind].Objects, one.key.String())
		slices.Sort(skip.Objects)
		noted[one.kind] = skip
	}
	return noted
}

// noteSkips writes into the state what was left out.
func (s *site) noteSkips(after *ClusterState) {
	after.Applied.Skipped = notedSkips(s.skips)
	after.Status.Message = after.Applied.skippedMessage()
}

// kept are the objects that are left out and live on in another version of their kind, and those of which only an earlier apply knew what they are.
func (s *site) kept() []fleet.ObjectKey {
	keys := slices.Clone(s.unknown)
	for _, one := range s.skips {
		if one.Versions {
			keys = append(keys, one.key)
		}
	}
	return keys
}

// keeps are the objects that the set does not remove: those that it wants, and those that are kept.
func (s *site) keeps(list []wanted) map[fleet.ObjectKey]bool {
	keep := map[fleet.ObjectKey]bool{}
	for _, w := range list {
		keep[w.Key] = true
	}
	for _, key := range s.kept() {
		keep[key] = true
	}
	return keep
}

// sameSkips makes sure that what is left out is what the plan said.
func (s *site) sameSkips(plan ClusterPlan) error {
	if plan.Unknown || plan.Objects == nil {
		return nil
	}
	now := map[fleet.ObjectKey]bool{}
	for _, one := range s.skips {
		now[one.key] = true
	}
	for key := range plan.Skipped {
		if !now[key] {
			return fmt.Errorf("since the plan, the cluster has come to serve %s, which was to be left out; plan and apply again", key)
		}
	}
	for _, one := range s.skips {
		if _, planned := plan.Skipped[one.key]; !planned {
			return fmt.Errorf("%s cannot be applied: %s, which the plan did not know; plan and apply again", one.key, one.Why)
		}
	}
	return nil
}

// stillSkipped drops what was noted as not served and is served by now, so that the next plan has its objects.
func (s *site) stillSkipped(ctx context.Context, noted map[string]Skip) map[string]Skip {
	var still map[string]Skip
	for id, skip := range noted {
		version, kind, _ := strings.Cut(id, " ")
		gv, err := schema.ParseGroupVersion(version)
		if err == nil {
			_, err = s.resource(ctx, gv.WithKind(kind))
		}
		if err == nil {
			continue
		}
		if still == nil {
			still = map[string]Skip{}
		}
		still[id] = skip
	}
	return still
}

// servedKinds are where the kinds were noted to be served, without those that turned out to be served elsewhere or no more.
func (s *site) servedKinds(noted map[string]Served) map[string]Served {
	s.kindsMu.Lock()
	defer s.kindsMu.Unlock()
	kinds := maps.Clone(noted)
	maps.DeleteFunc(kinds, func(id string, served Served) bool { return s.kinds[id] != served })
	return kinds
}

// everywhere are the groups whose kinds in v1 every cluster serves.
var everywhere = []string{"", "apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"}

// maySkip tells whether it depends on what the cluster serves which objects it gets.
func (s Set) maySkip(c fleet.Cluster) bool {
	for _, o := range s.objects(c.Name) {
		kind := o.GroupVersionKind()
		if kind.Version == "v1" && slices.Contains(everywhere, kind.Group) && scheme.Scheme.Recognizes(kind) {
			continue
		}
		if err := s.unserved(ClusterState{Cluster: c}, o, &notServedError{kind: kind}); errors.As(err, new(*skipError)) {
			return true
		}
	}
	return false
}

// nameServing adds to what clusters do not serve which of the set's clusters do.
func (r *Runner) nameServing(found Problems) Problems {
	failing := map[string]map[string]bool{}
	for _, p := range found {
		var not *notServedError
		if errors.As(p.Err, &not) {
			if failing[kindID(not.kind)] == nil {
				failing[kindID(not.kind)] = map[string]bool{}
			}
			failing[kindID(not.kind)][p.Cluster] = true
		}
	}
	for i, p := range found {
		var not *notServedError
		if !errors.As(p.Err, &not) {
			continue
		}
		told := *not
		told.elsewhere = nil
		r.mu.Lock()
		for _, name := range slices.Sorted(maps.Keys(r.serving[kindID(not.kind)])) {
			if !failing[kindID(not.kind)][name] {
				told.elsewhere = append(told.elsewhere, name)
			}
		}
		r.mu.Unlock()
		found[i].Err = &told
	}
	return found
}

// noteServing notes that a cluster was found to serve a kind.
func (r *Runner) noteServing(cluster string, kind schema.GroupVersionKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.serving == nil {
		r.serving = map[string]map[string]bool{}
	}
	if r.serving[kindID(kind)] == nil {
		r.serving[kindID(kind)] = map[string]bool{}
	}
	r.serving[kindID(kind)][cluster] = true
}
