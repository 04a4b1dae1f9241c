package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// Held is what a cluster keeps that is behind the rollout's Through.
type Held struct {
	// Revision is what the cluster runs, or is to run where it is new to the set; empty where it gets nothing yet.
	Revision string

	// objects are the revision's, where they are known; they are looked for only where they matter.
	objects []manifest.Object
	known   bool
	// missing says why they are not known although they would matter.
	missing error
	// stale tells that the write-only part of the revision is not known, because it was another version's.
	stale bool
	// keep is the content of the revision where the cluster has yet to keep it.
	keep *inventory.Content
}

// revisionOf is what the cluster is to run.
func (s Set) revisionOf(cluster string) string {
	if h, held := s.Held[cluster]; held {
		return h.Revision
	}
	return s.Revision
}

// rank is where a cluster stands in a rollout: its wave, and whether that is behind Through.
type rank struct {
	wave string
	held bool
}

// ranks are where the clusters stand, by cluster; empty where there are no waves.
func (s Set) ranks() map[string]rank {
	in := map[string]rank{}
	if s.Rollout == nil {
		return in
	}
	members := rollout.Progress{Clusters: map[string]rollout.Cluster{}}
	for name := range s.Clusters {
		members.Clusters[name] = rollout.Cluster{}
	}
	for _, r := range rollout.Ranks(*s.Rollout, members) {
		for _, name := range r.Clusters {
			in[name] = rank{wave: r.Name, held: r.Held}
		}
	}
	return in
}

// Assign finds out what the clusters behind the rollout's Through keep, and gives it to the set. It has to be called before the set is planned or
// applied. What a cluster runs is told by the state or, where that does not know the cluster, by the cluster itself.
func (r *Runner) Assign(ctx context.Context, set *Set, state State) Problems {
	if set.Rollout == nil || set.Rollout.Through == "" {
		return nil
	}
	progress := rollout.Progress{Revision: set.Revision, Clusters: map[string]rollout.Cluster{}}
	for name, running := range r.running(ctx, *set, state) {
		progress.Clusters[name] = rollout.Cluster{Revision: running}
	}
	in := set.ranks()
	shelf := &shelf{runner: r, set: *set, progress: progress, kept: map[string][]*Renderer{}}
	assigned := rollout.Assign(*set.Rollout, progress)
	found := map[string]Held{}
	var names []string
	for name, revision := range assigned {
		if in[name].held && revision != set.Revision && !set.UnknownAccess[name] {
			names = append(names, name)
		}
	}
	var mu sync.Mutex
	r.overClusters(ctx, "assign", *set, slices.Sorted(slices.Values(names)), nil, func(name string) {
		h := shelf.held(ctx, name, assigned[name], state)
		mu.Lock()
		defer mu.Unlock()
		found[name] = h
	})
	set.Held = found
	var problems Problems
	for _, name := range slices.Sorted(maps.Keys(found)) {
		h := found[name]
		if h.missing == nil {
			continue
		}
		stays := "what is there stays as it is, and drift there is not told"
		if _, known := state[name]; !known {
			stays = "nothing is applied there"
			found[name] = Held{}
		}
		problems = append(problems, Problem{Cluster: name, Warning: true,
			Err: fmt.Errorf("the cluster is to run revision %s, because it is behind through = %q; %w; %s, until it is promoted", h.Revision, set.Rollout.Through, h.missing, stays)})
	}
	return problems
}

// running is what every cluster of the set runs.
func (r *Runner) running(ctx context.Context, set Set, state State) map[string]string {
	running := map[string]string{}
	var ask []string
	access := map[string]string{}
	for name, c := range set.Clusters {
		prior, known := state[name]
		if running[name] = ""; known && !prior.replacedBy(c) {
			running[name] = set.running(prior)
		} else if c.Active() && !set.UnknownAccess[name] && !neverAnswered(set, c) {
			ask = append(ask, name)
			access[name] = c.Access
		}
	}
	slices.Sort(ask)
	var mu sync.Mutex
	r.overClusters(ctx, "assign", set, ask, access, func(name string) {
		s, err := r.open(ctx, set, set.Clusters[name], Applied{})
		if err != nil {
			// The plan says so.
			return
		}
		parent, err := s.parent(ctx, false)
		if err != nil || parent == nil || foreign(set, parent) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		running[name] = parent.Revision
	})
	return running
}

// shelf finds the contents of revisions: what the state's manifests say, or what clusters keep.
type shelf struct {
	runner   *Runner
	set      Set
	progress rollout.Progress

	before    sync.Once
	beforeErr error

	mu sync.Mutex
	// kept are what was found, by revision, each decoded once for all clusters.
	kept map[string][]*Renderer
}

// held is what a cluster keeps that is to run the revision.
func (f *shelf) held(ctx context.Context, name, revision string, state State) Held {
	h := Held{Revision: revision}
	if revision == "" {
		return h
	}
	c := f.set.Clusters[name]
	prior, known := state[name]
	if f.set.Before != nil && revision == f.set.BeforeRevision && (!known || !prior.Applied.Parent.Stored) {
		content, err := f.set.Before.contentFor(c)
		if err != nil {
			h.missing = err
			return h
		}
		h.keep = &content
	}
	if known && prior.restful() && len(f.set.Policies) == 0 && !f.set.Divide && sameForTemplates(c, prior.Cluster) {
		return h
	}
	if f.set.Before != nil && revision == f.set.BeforeRevision {
		h.missing = f.addBefore()
	}
	if h.missing == nil {
		h.missing = f.render(&h, c)
	}
	if h.missing == nil {
		return h
	}
	// What the cluster itself keeps is most likely made for it; others are asked where it keeps nothing.
	for _, other := range append([]string{name}, f.running(revision, name)...) {
		source, err := f.load(ctx, other, revision)
		if err != nil {
			h.missing = err
			continue
		}
		if source == nil {
			continue
		}
		if h.missing = f.add(revision, *source); h.missing == nil {
			h.missing = f.render(&h, c)
		}
		if h.missing == nil {
			return h
		}
	}
	return h
}

// running are the other clusters that run the revision, sorted.
func (f *shelf) running(revision, but string) []string {
	var names []string
	for name, c := range f.progress.Clusters {
		if name != but && c.Revision == revision {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// add puts what a revision says on the shelf.
func (f *shelf) add(revision string, s Source) error {
	r, err := f.set.rendererOf(s)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept[revision] = append(f.kept[revision], r)
	return nil
}

// addBefore puts what the state's manifests say on the shelf, once.
func (f *shelf) addBefore() error {
	f.before.Do(func() { f.beforeErr = f.add(f.set.BeforeRevision, *f.set.Before) })
	return f.beforeErr
}

// load reads what a cluster keeps of the revision; nil where it keeps nothing.
func (f *shelf) load(ctx context.Context, cluster, revision string) (*Source, error) {
	c := f.set.Clusters[cluster]
	if !c.Active() || f.set.UnknownAccess[cluster] {
		return nil, nil
	}
	s, err := f.runner.open(ctx, f.set, c, Applied{})
	if err != nil {
		return nil, err
	}
	return s.load(ctx, revision)
}

// load reads what the cluster keeps of the revision; nil where it keeps nothing.
func (s *site) load(ctx context.Context, revision string) (*Source, error) {
	parent, err := s.parent(ctx, false)
	if err != nil {
		return nil, s.client.Classify(err)
	}
	text, err := s.store.Load(ctx, parent, revision)
	if err != nil || text == nil {
		return nil, s.client.Classify(err)
	}
	source, err := parseContent(text)
	return &source, err
}

var errNoContent = errors.New("what that says is not known, because no cluster that answers keeps it")

// render gives the cluster the revision's objects, by the first of the sources that has them.
func (f *shelf) render(h *Held, c fleet.Cluster) error {
	f.mu.Lock()
	kept := slices.Clone(f.kept[h.Revision])
	f.mu.Unlock()
	why := errNoContent
	for _, renderer := range kept {
		made, err := f.set.heldBy(renderer, h.Revision, c)
		var withheld *WithheldError
		if errors.As(err, &withheld) {
			why = err
			continue
		}
		if err != nil {
			return err
		}
		made.keep = h.keep
		*h = made
		return nil
	}
	return why
}

// rendererOf makes what another source than the set's own says, but for what is write-only.
func (s Set) rendererOf(source Source) (*Renderer, error) {
	source.Sensitive, source.WriteOnly, source.Values = s.Sensitive, nil, nil
	return NewRenderer(source)
}

// heldBy is what the cluster gets of a revision. The write-only part is the set's own, if it is of the same version.
func (s Set) heldBy(renderer *Renderer, revision string, c fleet.Cluster) (Held, error) {
	rendered, err := renderer.Render(c)
	if err != nil {
		return Held{}, err
	}
	h := Held{Revision: revision, objects: rendered.Objects, known: true, stale: renderer.source.WriteOnlyVersion != s.Source.WriteOnlyVersion}
	for _, o := range s.objects(c.Name) {
		if o.WriteOnly && !h.stale {
			h.objects = append(h.objects[:len(h.objects):len(h.objects)], o)
		}
	}
	return h, nil
}

// restful tells, without asking the cluster or looking at any manifest, that everything is as it was applied.
func (c ClusterState) restful() bool {
	if c.Status.Phase != PhaseApplied || len(c.Objects) != len(c.Applied.Objects) || c.Applied.Moving != "" {
		return false
	}
	for key, fields := range c.Objects {
		record := c.Applied.record(key)
		if record == nil || record.Stale != "" || record.Result != fields.Hash() {
			return false
		}
	}
	return true
}

// sameForTemplates tells whether two descriptions of a cluster make the same objects of any templates and selectors.
func sameForTemplates(a, b fleet.Cluster) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Properties, b.Properties) && a.Minor == b.Minor && a.Group == b.Group && a.Weight == b.Weight && a.UID == b.UID
}

// keepHeld is the plan for a cluster that keeps what it has, or nothing; false where its objects have to be looked at.
func (h Held) keepHeld(prior ClusterState, known bool) (ClusterPlan, bool) {
	if h.Revision != "" && h.known {
		return ClusterPlan{}, false
	}
	if h.Revision == "" || !known {
		return ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}}, true
	}
	return ClusterPlan{Objects: prior.asTheyAre()}, true
}

// assign notes in a cluster's plan what the cluster is to run. Where there are no waves, every cluster runs the set's revision, and that is not said of each.
func (c *ClusterPlan) assign(set Set, name string, prior ClusterState, known bool) {
	h := set.Held[name]
	_, stays := set.Clusters[name]
	if set.Rollout == nil || !stays || c.Gone {
		return
	}
	if c.Revision = set.revisionOf(name); known {
		c.From = set.running(prior)
	}
	c.Wave, c.Held = set.in[name].wave, set.in[name].held
	if c.Deferred != "" {
		c.Revision = c.From
		return
	}
	if known && !c.Unknown {
		c.Advance, c.Keep = c.Revision != c.From, h.keep != nil
	}
}

// running is what the cluster runs, as far as state knows. Before there were waves, that was what the state's manifests say.
func (s Set) running(prior ClusterState) string {
	if prior.Status.Phase == PhaseHeld {
		return ""
	}
	return cmp.Or(prior.Status.Revision, s.BeforeRevision)
}

// unknownObjects are the write-only objects on a cluster that keeps a revision whose write-only part is not known.
func (s Set) unknownObjects(cluster string, prior ClusterState) []fleet.ObjectKey {
	var keys []fleet.ObjectKey
	if !s.Held[cluster].stale {
		return nil
	}
	for key := range prior.Objects {
		if record := prior.Applied.record(key); record != nil && record.Hidden {
			keys = append(keys, key)
		}
	}
	return keys
}
