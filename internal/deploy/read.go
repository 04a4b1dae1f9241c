package deploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Read brings the state up to what is on the clusters. A cluster that cannot be asked keeps what is known of it.
func (r *Runner) Read(ctx context.Context, set Set, state State) (State, Problems) {
	out := State{}
	var found Problems
	var mu sync.Mutex
	r.overClusters(ctx, "read", set, slices.Sorted(maps.Keys(state)), accessOf(state), func(name string) {
		after, problems := r.readCluster(ctx, set, state[name])
		mu.Lock()
		defer mu.Unlock()
		out[name] = after
		found = append(found, problems...)
	})
	return out, found
}

// misconfigured tells whether the configuration must change before anything can be said of the cluster.
func misconfigured(err error) bool {
	var missing *cluster.MissingCredentialsError
	var absent *cluster.NotConfiguredError
	var invalid *cluster.InvalidError
	return errors.As(err, &missing) || errors.As(err, &absent) || errors.As(err, &invalid)
}

func accessOf(state State) map[string]string {
	access := map[string]string{}
	for name, c := range state {
		if c.Cluster.Active() {
			access[name] = c.Cluster.Access
		}
	}
	return access
}

func (r *Runner) readCluster(ctx context.Context, set Set, prior ClusterState) (ClusterState, Problems) {
	name := prior.Cluster.Name
	if _, stays := set.Clusters[name]; !stays {
		// The configuration of the set no longer says whether the cluster takes part; its fleet_cluster does.
		prior.Cluster.Mode = r.mode(name)
		prior.Applied.Mode = prior.Cluster.Mode
	}
	if !prior.Cluster.Active() {
		return prior, nil
	}
	s, err := r.open(ctx, set.on(prior), prior.Cluster, prior.Applied)
	if err == nil {
		err = s.follow(ctx, prior)
	}
	if err == nil {
		var after ClusterState
		if after, err = s.read(ctx, prior); err == nil {
			after.Applied.Moving = s.moving()
			return after, nil
		}
	}
	if s != nil {
		err = s.client.Classify(err)
	}
	after := prior
	var unknown *cluster.UnknownError
	if errors.As(err, &unknown) {
		// A connection that is not known yet says nothing about the cluster.
		return after, nil
	}
	// The others are not to wait for this one: what is known of it is kept, and an apply will say what it cannot do there.
	after.Status.Health = health.Unknown
	after.Applied.Member = r.member(name)
	if !lost(err) {
		// Where the configuration lacks what it takes, the plan says so: this may be a cluster that is to be abandoned.
		after.Status.Health = health.Denied
	}
	return after, Problems{{Cluster: name, Err: err, Warning: true}}
}

// read lists what the set has on the cluster: by label per kind, and by name what is recorded but not listed.
func (s *site) read(ctx context.Context, prior ClusterState) (ClusterState, error) {
	parent, err := s.parent(ctx, false)
	if err != nil {
		return prior, err
	}
	live, err := s.members(ctx, prior, parent)
	if err != nil {
		return prior, err
	}
	after := prior
	after.Applied.Parent, after.Applied.Member = s.parentage(prior, parent), false
	after.Applied.Skipped = s.stillSkipped(ctx, prior.Applied.Skipped)
	after.Applied.Kinds = s.servedKinds(prior.Applied.Kinds)
	after.Objects = map[fleet.ObjectKey]ssa.Fields{}
	after.Applied.Objects = maps.Clone(prior.Applied.Objects)
	for key, obj := range live {
		fields, err := s.project(ctx, obj, prior, key, parent)
		if err != nil {
			return prior, fmt.Errorf("%s: %w", key, err)
		}
		after.Objects[key] = fields
		if err := s.noteStale(&after, prior, key, obj); err != nil {
			return prior, fmt.Errorf("%s: %w", key, err)
		}
		record := after.Applied.record(key)
		if s.set.Judged || !prior.Objects[key].IsUnread() || record == nil || record.Stale != "" || record.Result != fields.Hash() {
			// In a large fleet, what is as it was applied would be most of the memory, and few plans look at it.
			s.seen.note(key, obj)
		}
	}
	for key := range prior.Objects {
		if known, _ := s.seen.lookup(key); live[key] == nil && known == nil {
			s.seen.note(key, nil)
		}
	}
	state, message := s.worst(live, prior)
	after.Status.Health = state
	if s.set.Rollout != nil && parent != nil && parent.Revision != "" {
		// A run that was killed has told state nothing.
		after.Status.Revision = parent.Revision
	}
	if prior.Status.Phase == PhaseApplied {
		// What a failed apply said stays until an apply has another end.
		after.Status.Message = strings.Join(slices.DeleteFunc([]string{after.Applied.skippedMessage(), message}, func(s string) bool { return s == "" }), "; ")
	}
	return after, nil
}

// worst is the health of the worst of the set's objects, and why it is so. An object that cannot be judged is not known to be healthy; the
// cluster has been read all the same, so that is not health.Unknown.
func (s *site) worst(live map[fleet.ObjectKey]*unstructured.Unstructured, prior ClusterState) (health.State, string) {
	state, message := health.Current, ""
	for _, key := range slices.SortedFunc(maps.Keys(live), fleet.ObjectKey.Compare) {
		if _, ours := prior.Objects[key]; !ours {
			continue
		}
		at := health.At{}
		if record := prior.Applied.record(key); record != nil {
			at.UID = record.UID
		}
		h, err := s.set.Wait.Checks.EvaluateAt(live[key], at)
		if err != nil {
			h.Message = err.Error()
		}
		if err != nil || h.State == health.Unknown {
			h.State = health.InProgress
		}
		if h.State == state || health.Worst(state, h.State) == state {
			continue
		}
		state, message = h.State, key.String()+": "+strings.TrimSuffix(h.Message, ".")
	}
	return state, s.discreet(message, live, prior)
}

// discreet is a text without what any of the objects hides.
func (s *site) discreet(text string, live map[fleet.ObjectKey]*unstructured.Unstructured, prior ClusterState) string {
	if text == "" {
		return ""
	}
	for key, obj := range live {
		hides, err := s.hiding(prior, key, obj)
		if err != nil {
			return ""
		}
		text = hides.redactText(obj, text)
	}
	return text
}

// noteStale notes in the object's record why it has to be applied again although its fields may be as they should be.
func (s *site) noteStale(after *ClusterState, prior ClusterState, key fleet.ObjectKey, obj *unstructured.Unstructured) error {
	record := prior.Applied.record(key)
	if record == nil {
		return nil
	}
	now, err := s.server.Reread(obj, *record)
	if err != nil {
		return err
	}
	after.Applied.Objects[key.String()] = now
	return nil
}

// project reads what the set applied to the object, by managedFields and by what state remembers.
func (s *site) project(ctx context.Context, obj *unstructured.Unstructured, prior ClusterState, key fleet.ObjectKey, parent *inventory.Parent) (ssa.Fields, error) {
	known := prior.Objects[key]
	if !known.IsUnread() {
		return s.projectBy(obj, prior, key, parent, known)
	}
	fields, err := s.projectBy(obj, prior, key, parent, nil)
	if err != nil || fields.Hash() == known.Hash() {
		return fields, err
	}
	return s.drifted(ctx, obj, prior, key, parent)
}

// projectBy reads what the set applied to the object, by managedFields and by the paths of fields that are known.
func (s *site) projectBy(obj *unstructured.Unstructured, prior ClusterState, key fleet.ObjectKey, parent *inventory.Parent, fields ssa.Fields) (ssa.Fields, error) {
	hides, err := s.hiding(prior, key, obj)
	if err != nil {
		return nil, err
	}
	m := hides.mask(cmp.Or(string(saltOf(parent)), processSalt))
	if m != nil && parent == nil {
		m = remembered(m, prior.Objects[key])
	}
	return ssa.Result(obj, s.managerOf(obj), slices.Collect(maps.Keys(fields)), m)
}

// hiding is what is never shown of an object as it is found: what the set says, what was noted when it was applied, and what the
// object itself says, which is all there is after a lost state.
func (s *site) hiding(prior ClusterState, key fleet.ObjectKey, obj *unstructured.Unstructured) (hiding, error) {
	treat, err := s.set.treat(prior.Cluster, key, obj.GetLabels())
	if err != nil {
		return hiding{}, err
	}
	record := prior.Applied.record(key)
	hides := hiding{secret: manifest.IsSecret(key), all: record != nil && record.Hidden, paths: treat.sensitive}
	if mark, ok := obj.GetAnnotations()[fleet.HiddenAnnotation]; ok {
		hides = hides.marked(mark)
	}
	return hides, nil
}

// processSalt stands in for a salt that is lost: its digests match nothing, and give nothing away.
var processSalt = rand.Text()

func saltOf(parent *inventory.Parent) []byte {
	if parent == nil {
		return nil
	}
	return parent.Salt
}

// members finds the set's objects on the cluster.
func (s *site) members(ctx context.Context, prior ClusterState, parent *inventory.Parent) (map[fleet.ObjectKey]*unstructured.Unstructured, error) {
	return s.find(ctx, prior, parent, s.server.List)
}

// lister lists the objects of a kind.
type lister func(ctx context.Context, r ssa.Resource, namespace, selector string) ([]*unstructured.Unstructured, error)

// find finds the set's objects on the cluster, as much of them as is listed.
func (s *site) find(ctx context.Context, prior ClusterState, parent *inventory.Parent, list lister) (map[fleet.ObjectKey]*unstructured.Unstructured, error) {
	kinds := map[string]schema.GroupKind{}
	for key := range prior.Objects {
		kind := schema.GroupKind{Group: key.Group, Kind: key.Kind}
		kinds[kind.String()] = kind
	}
	if parent != nil {
		for _, kind := range parent.Kinds {
			kinds[kind.String()] = kind
		}
	}
	var resources []ssa.Resource
	for _, id := range slices.Sorted(maps.Keys(kinds)) {
		resource, err := s.resource(ctx, kinds[id].WithVersion(""))
		if isNotServed(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		resources = append(resources, resource)
	}
	places := s.places(resources, prior, parent)
	lists := make([][]*unstructured.Unstructured, len(places))
	errs := make([]error, len(places))
	selector := fleet.PartOfLabel + "=" + inventory.ID(s.set.Inventory, s.set.Name)
	overObjects(len(places), func(i int) {
		places[i].Resource, lists[i], errs[i] = s.list(ctx, places[i], selector, list)
	})
	live := map[fleet.ObjectKey]*unstructured.Unstructured{}
	for i, list := range lists {
		if errs[i] != nil {
			return nil, fmt.Errorf("list %s: %w", places[i].GroupResource(), errs[i])
		}
		for _, obj := range list {
			owned, err := ssa.OwnedSet(obj, s.server.manager())
			if err != nil {
				return nil, err
			}
			if !owned.Empty() {
				// A copy that somebody made of an object has its label, but was not applied by the set.
				live[keyOf(obj)] = obj
			}
		}
	}
	if err := s.addMoved(ctx, places, live); err != nil {
		return nil, fmt.Errorf("list what was moved: %w", err)
	}
	return live, s.unlisted(ctx, prior, live)
}

// list lists a kind where it is noted to be served, and, if it is not there any more, where it is served now.
func (s *site) list(ctx context.Context, at place, selector string, list lister) (ssa.Resource, []*unstructured.Unstructured, error) {
	r := at.Resource
	kind := schema.GroupKind{Group: r.Group, Kind: r.Kind}
	for again := false; ; again = true {
		objects, err := list(ctx, r, at.namespace, selector)
		if !apierrors.IsNotFound(err) || again {
			return r, objects, err
		}
		s.forgetKind(kind)
		now, err := s.resource(ctx, kind.WithVersion(""))
		if isNotServed(err) {
			// Its definition was deleted, and its objects with it.
			return r, nil, nil
		}
		if err != nil {
			return r, nil, err
		}
		r = now
	}
}

// unlisted gets by name what state knows and the lists lack: somebody may have removed only the label.
func (s *site) unlisted(ctx context.Context, prior ClusterState, live map[fleet.ObjectKey]*unstructured.Unstructured) error {
	var absent []fleet.ObjectKey
	for key := range prior.Objects {
		if live[key] == nil {
			absent = append(absent, key)
		}
	}
	found := make([]*unstructured.Unstructured, len(absent))
	errs := make([]error, len(absent))
	resources := make([]ssa.Resource, len(absent))
	for i, key := range absent {
		resources[i], errs[i] = s.resource(ctx, schema.GroupKind{Group: key.Group, Kind: key.Kind}.WithVersion(""))
	}
	overObjects(len(absent), func(i int) {
		if errs[i] == nil {
			found[i], errs[i] = s.server.Get(ctx, resources[i], absent[i].Namespace, absent[i].Name)
		}
		if apierrors.IsNotFound(errs[i]) || isNotServed(errs[i]) {
			errs[i] = nil
		}
	})
	for i, obj := range found {
		if errs[i] != nil {
			return fmt.Errorf("get %s: %w", absent[i], errs[i])
		}
		if obj == nil {
			continue
		}
		// Without the label it is still the set's if it is the very object that was applied.
		record := prior.Applied.record(absent[i])
		set := obj.GetLabels()[fleet.PartOfLabel]
		if set == inventory.ID(s.set.Inventory, s.set.Name) || set == "" && record != nil && record.UID == string(obj.GetUID()) {
			live[absent[i]] = obj
		} else {
			s.seen.note(absent[i], obj)
		}
	}
	return nil
}

func keyOf(obj *unstructured.Unstructured) fleet.ObjectKey {
	kind := obj.GroupVersionKind()
	return fleet.ObjectKey{Group: kind.Group, Kind: kind.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

func isNotServed(err error) bool {
	var n *notServedError
	return errors.As(err, &n)
}
