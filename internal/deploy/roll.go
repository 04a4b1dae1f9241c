package deploy

import (
	"context"
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// roll writes into the parent what the run makes the cluster run, and which contents the cluster keeps for that. A set that is rolled out in waves
// keeps what the cluster gets and what it returns to; one that goes everywhere at once needs neither.
func (s *site) roll(p *inventory.Parent, prior ClusterState) error {
	target := s.set.revisionOf(s.name)
	p.Revision = target
	if s.set.Rollout == nil {
		return nil
	}
	keep := map[string]inventory.Content{}
	h, held := s.set.Held[s.name]
	var err error
	switch {
	case !held:
		if keep[target], err = s.set.Source.contentFor(s.set.Clusters[s.name]); err != nil {
			return err
		}
	case h.keep != nil:
		keep[target] = *h.keep
	}
	if last := s.set.completed; last != "" && last == s.set.running(prior) && last != target {
		switch {
		case p.Contents[last] > 0:
			p.Previous = last
		case s.set.Before != nil && s.set.BeforeRevision == last:
			// The set had no waves so far, and the state's manifests are what the cluster runs.
			if keep[last], err = s.set.Before.contentFor(s.set.Clusters[s.name]); err != nil {
				return err
			}
			p.Previous = last
		}
	}
	contents := map[string]int{}
	for revision, parts := range p.Contents {
		if revision == target || revision == p.Previous {
			contents[revision] = parts
		}
	}
	for revision, content := range keep {
		contents[revision] = content.Parts()
	}
	s.contents, s.former = keep, p.Clone()
	p.Contents = contents
	return nil
}

// keepContents keeps what roll found is to be kept, and drops the rest.
func (s *site) keepContents(ctx context.Context, p *inventory.Parent) error {
	for _, revision := range slices.Sorted(maps.Keys(s.contents)) {
		if err := s.store.Keep(ctx, p, revision, s.contents[revision]); err != nil {
			return err
		}
	}
	if s.former == nil {
		return nil
	}
	return s.dropAll(ctx, s.former, p)
}

// dropAll drops the contents that the parent named and no longer names.
func (s *site) dropAll(ctx context.Context, before, now *inventory.Parent) error {
	for _, revision := range slices.Sorted(maps.Keys(before.Contents)) {
		if _, kept := now.Contents[revision]; kept {
			continue
		}
		if err := s.store.Drop(ctx, before, revision); err != nil {
			return err
		}
	}
	return nil
}

// moveContents keeps under the set's new name what was kept under the old one.
func (s *site) moveContents(ctx context.Context, from *site, old, now *inventory.Parent) error {
	for _, revision := range slices.Sorted(maps.Keys(old.Contents)) {
		text, err := from.store.Load(ctx, old, revision)
		if err != nil || text == nil {
			return err
		}
		content, err := inventory.NewContent(text)
		if err != nil {
			return err
		}
		if err := s.store.Keep(ctx, now, revision, content); err != nil {
			return err
		}
	}
	return nil
}

// to is the set as it was at a revision that the cluster keeps.
func (s *site) to(ctx context.Context, c fleet.Cluster, revision string) (Set, error) {
	set := s.set
	source, err := s.load(ctx, revision)
	if err != nil {
		return set, err
	}
	if source == nil {
		return set, errNoContent
	}
	renderer, err := set.rendererOf(*source)
	if err != nil {
		return set, err
	}
	h, err := set.heldBy(renderer, revision, c)
	if err != nil {
		return set, err
	}
	held := map[string]Held{c.Name: h}
	for name, other := range set.Held {
		if name != c.Name {
			held[name] = other
		}
	}
	set.Held = held
	return set, nil
}
