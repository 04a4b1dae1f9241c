package provider

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// edit is a set as it is planned beside what the state has of it. The manifests of both are parsed at most once.
type edit struct {
	plan, prior manifestModel
	// now and before are the objects that every cluster gets alike; not ok where there is no such thing, or it cannot be told.
	now, before func() (objects []manifest.Object, ok bool)
	// set is the planned set, and clusters what the state has as clusters.
	set      deploy.Set
	clusters map[string]fleet.Cluster
}

func newEdit(plan, prior manifestModel) edit {
	return edit{plan: plan, prior: prior, now: sync.OnceValues(plan.objects), before: sync.OnceValues(prior.objects)}
}

// keepText gives the planned model the prior texts where its own say the same, so that an edit of the formatting plans nothing. It returns what
// it kept, by argument.
func (e edit) keepText(plan *manifestModel) map[string]attr.Value {
	kept := map[string]attr.Value{}
	prior := e.prior
	if !whollyKnown(plan.Manifests) || plan.unknownRendering() {
		return kept
	}
	if !plan.Manifests.IsNull() && !prior.Manifests.IsNull() && !plan.Manifests.Equal(prior.Manifests) && (sameTexts(plan.Manifests, prior.Manifests) || e.samePlain()) {
		kept["manifests"] = prior.Manifests
		plan.Manifests = prior.Manifests
	}
	if !plan.Variants.Equal(prior.Variants) && sameItems(plan.Variants, prior.Variants, func(name string, now, before attr.Value) bool {
		texts, ok := now.(types.List)
		textsBefore, okBefore := before.(types.List)
		return name == "manifests" && ok && okBefore && sameTexts(texts, textsBefore)
	}) {
		kept["variants"] = prior.Variants
		plan.Variants = prior.Variants
	}
	if !plan.Overrides.Equal(prior.Overrides) && sameItems(plan.Overrides, prior.Overrides, func(name string, now, before attr.Value) bool {
		text, ok := now.(types.String)
		textBefore, okBefore := before.(types.String)
		return strings.HasSuffix(name, "_patch") && ok && okBefore && samePatch(text.ValueString(), textBefore.ValueString())
	}) {
		kept["overrides"] = prior.Overrides
		plan.Overrides = prior.Overrides
	}
	return kept
}

// sameItems tells whether two lists of objects are equal but for attributes that are the same in other words.
func sameItems(now, before types.List, same func(name string, now, before attr.Value) bool) bool {
	if now.IsNull() || before.IsNull() || len(now.Elements()) != len(before.Elements()) {
		return false
	}
	for i, element := range now.Elements() {
		object, ok := element.(types.Object)
		objectBefore, okBefore := before.Elements()[i].(types.Object)
		if !ok || !okBefore {
			return false
		}
		for name, v := range object.Attributes() {
			if was := objectBefore.Attributes()[name]; !v.Equal(was) && !same(name, v, was) {
				return false
			}
		}
	}
	return true
}

// sameTexts tells whether the texts hold the same documents, in whatever order and formatting.
func sameTexts(now, before types.List) bool {
	if now.IsNull() || before.IsNull() {
		return false
	}
	a, ok := deploy.Canonical(textsOf(now))
	b, okBefore := deploy.Canonical(textsOf(before))
	return ok && okBefore && slices.Equal(a, b)
}

// samePatch compares patches by what they say. A list of operations is compared as one.
func samePatch(now, before string) bool {
	wrapped := func(text string) []string {
		lines := strings.Split(text, "\n")
		list, _ := deploy.Canonical([]string{"patch:\n  " + strings.Join(lines, "\n  ")})
		return list
	}
	if now == "" || before == "" {
		return false
	}
	a, b := wrapped(now), wrapped(before)
	return len(a) == 1 && slices.Equal(a, b)
}

// samePlain tells whether both sets are the same objects for every cluster.
func (e edit) samePlain() bool {
	now, ok := e.now()
	before, okBefore := e.before()
	return ok && okBefore && len(now) == len(before) && len(same(now, before)) == len(now)
}

// same are the objects that both have, word for word.
func same(now, before []manifest.Object) map[fleet.ObjectKey]bool {
	hashes := map[fleet.ObjectKey]string{}
	for _, o := range before {
		hashes[o.Key] = manifest.Hash(o.Unstructured)
	}
	keys := map[fleet.ObjectKey]bool{}
	for _, o := range now {
		if hashes[o.Key] == manifest.Hash(o.Unstructured) {
			keys[o.Key] = true
		}
	}
	return keys
}

// unchangedObjects are the objects that no cluster had otherwise before.
func (e edit) unchangedObjects(ctx context.Context) map[fleet.ObjectKey]bool {
	now, plain := e.now()
	if was, plainBefore := e.before(); plain && plainBefore {
		return same(now, was)
	}
	before, ok := e.prior.rendering(ctx)
	keys, differs := map[fleet.ObjectKey]bool{}, map[fleet.ObjectKey]bool{}
	for name := range e.set.Clusters {
		c, there := e.clusters[name]
		if !there {
			continue
		}
		var was []manifest.Object
		if ok {
			if rendered, err := before.Render(c); err == nil {
				was = rendered.Objects
			}
		}
		equal := same(e.set.ObjectsFor(name), was)
		for _, o := range e.set.ObjectsFor(name) {
			if equal[o.Key] {
				keys[o.Key] = true
			} else {
				differs[o.Key] = true
			}
		}
	}
	for key := range differs {
		delete(keys, key)
	}
	return keys
}

// rendering prepares the model's objects; ok is false where they cannot be.
func (m manifestModel) rendering(ctx context.Context) (r *deploy.Renderer, ok bool) {
	source, known, diags := m.source(ctx)
	if !known || diags.HasError() {
		return nil, false
	}
	r, diags = renderer(source)
	return r, !diags.HasError()
}

// rendersAlike tells of a cluster whether what is planned there is the same with the description of the cluster that state has, so that
// state may keep that one.
func (e edit) rendersAlike(ctx context.Context) func(cluster string) bool {
	if _, ok := e.now(); ok && e.plan.ManifestsWO.IsNull() {
		return func(string) bool { return true }
	}
	renderer, ok := e.plan.rendering(ctx)
	clusters, parts, diags := clustersFromMap(ctx, e.plan.Clusters)
	ok = ok && !e.plan.writeOnlyUnknown() && !diags.HasError()
	return func(name string) bool {
		if !ok {
			return false
		}
		c, was := clusters[name], e.clusters[name]
		if undecided, err := renderer.Undecided(c, parts[name]); err != nil || undecided {
			return false
		}
		now := e.set.ObjectsFor(name)
		if _, held := e.set.Held[name]; held {
			return false
		}
		c.Labels, c.Properties, c.Minor, c.Group, c.Weight = was.Labels, was.Properties, was.Minor, was.Group, was.Weight
		then, err := renderer.Render(c)
		return err == nil && len(now) == len(then.Objects) && len(same(now, then.Objects)) == len(now)
	}
}
