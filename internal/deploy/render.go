package deploy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// Renderer makes the objects of a set for one cluster after the other. It asks no cluster.
type Renderer struct {
	source    Source
	overrides *override.Overrides
	fallback  *texts
	variants  []*texts
	writeOnly *texts
}

// texts are the texts of one argument, decoded once for all clusters.
type texts struct {
	preparation
	documents *manifest.Documents
	// reads are the parts of a cluster that the templates look at; empty where there are no templates.
	reads     [][]string
	templates bool
	// plain are the objects where there are no templates, which every cluster gets alike, and err what is wrong with them.
	plain []manifest.Object
	err   error
}

// NewRenderer prepares a source. The error joins an *override.InvalidRuleError for each override that cannot be used; what is wrong with the
// texts is said of the clusters that get them.
func NewRenderer(s Source) (*Renderer, error) {
	overrides, err := override.Compile(s.rules())
	if err != nil {
		return nil, err
	}
	r := &Renderer{source: s, overrides: overrides, fallback: newTexts(ArgumentManifests, s.Texts, s.Template, false)}
	for i, v := range s.Variants {
		r.variants = append(r.variants, newTexts(VariantArgument(i), v.Texts, s.Template, false))
	}
	r.writeOnly = newTexts(ArgumentWriteOnly, s.WriteOnly, true, true)
	return r, nil
}

func newTexts(argument string, list []string, isTemplate, writeOnly bool) *texts {
	t := &texts{preparation: preparation{template: isTemplate, writeOnly: writeOnly}, documents: manifest.Decode(argument, list)}
	t.templated(t.documents, func(object map[string]any) {
		t.templates = true
		if reads, err := template.Inspect(object); err == nil {
			t.reads = append(t.reads, reads...)
		}
	})
	slices.SortFunc(t.reads, slices.Compare[[]string])
	t.reads = slices.CompactFunc(t.reads, slices.Equal[[]string])
	if !t.templates {
		t.plain, t.err = t.objects(nil)
	}
	return t
}

// objects are what a cluster gets, by the data of its templates.
func (t *texts) objects(data map[string]any) ([]manifest.Object, error) {
	if data != nil && !t.templates {
		return t.plain, t.err
	}
	renderer, err := template.New(data)
	if err != nil {
		return nil, err
	}
	p := t.preparation
	p.render = renderer.Render
	objects, _, err := t.documents.Objects(p.document)
	for i := range objects {
		objects[i].WriteOnly = t.writeOnly
	}
	return objects, err
}

// Rendered is what one cluster gets.
type Rendered struct {
	Objects []manifest.Object
	// Excluded are the objects that overrides leave out.
	Excluded []override.Exclusion

	uses []override.Use
}

// Same tells whether every cluster gets the same from what is not write-only, and gets the rest for certain.
func (r *Renderer) Same() bool {
	return len(r.variants) == 0 && len(r.source.Overrides) == 0 && !r.fallback.templates && !r.writeOnly.templates
}

// Render makes the objects for a cluster of which everything is known that matters. The errors, joined, are of the type *RenderError.
func (r *Renderer) Render(c fleet.Cluster) (Rendered, error) {
	chosen, err := r.choose(c, nil)
	if err != nil {
		return Rendered{}, failed(c.Name, err)
	}
	view := template.Cluster(c)
	objects, err := chosen.objects(map[string]any{"cluster": view})
	values := map[string]any{}
	for key, text := range r.source.Values[c.Name] {
		values[key] = text
	}
	secret, errSecret := r.writeOnly.objects(map[string]any{"cluster": view, "values": values})
	if err := errors.Join(err, errSecret); err != nil {
		return Rendered{}, failed(c.Name, err)
	}
	rendered, err := r.override(c, slices.Concat(objects, secret))
	return rendered, failed(c.Name, err)
}

// choose returns the texts that the cluster gets, or nil where that depends on something unknown.
func (r *Renderer) choose(c fleet.Cluster, unknown placement.Unknown) (*texts, error) {
	i, decided, err := r.source.variant(c, unknown)
	switch {
	case err != nil || !decided:
		return nil, err
	case i >= 0 && r.source.Variants[i].Withheld:
		return nil, &WithheldError{Variant: i}
	case i >= 0:
		return r.variants[i], nil
	case len(r.variants) > 0 && !r.source.Fallback:
		return nil, &NoTextsError{Variants: len(r.variants)}
	}
	return r.fallback, nil
}

// variant is the index of the variant that is for the cluster, -1 where none is. It is not decided where that depends on something unknown.
func (s Source) variant(c fleet.Cluster, unknown placement.Unknown) (index int, decided bool, err error) {
	for i, v := range s.Variants {
		if v.Clusters == nil {
			return i, true, nil
		}
		verdict, err := v.Clusters.Judge(c, unknown)
		switch {
		case err != nil:
			return -1, false, fmt.Errorf("variants[%d].clusters: %w", i, err)
		case verdict.Outcome == placement.Matches:
			return i, true, nil
		case verdict.Outcome == placement.Undecided:
			return -1, false, nil
		}
	}
	return -1, true, nil
}

// Undecided tells whether what the cluster gets depends on something unknown about it.
func (r *Renderer) Undecided(c fleet.Cluster, unknown placement.Unknown) (bool, error) {
	if len(unknown) == 0 {
		return false, nil
	}
	chosen, err := r.choose(c, unknown)
	if err != nil {
		return false, failed(c.Name, err)
	}
	if chosen == nil || reads(slices.Concat(chosen.reads, r.writeOnly.reads), unknown) {
		return true, nil
	}
	for i, o := range r.source.Overrides {
		if o.Clusters == nil {
			continue
		}
		verdict, err := o.Clusters.Judge(c, unknown)
		if err != nil {
			return false, failed(c.Name, fmt.Errorf("overrides[%d].clusters: %w", i, err))
		}
		if verdict.Outcome == placement.Undecided {
			return true, nil
		}
	}
	return false, nil
}

// seen are the parts of a cluster that templates can look at.
var seen = []string{"uid", "labels", "properties", "minor", "kubernetes_version", "platform", "group", "weight", "facts"}

// reads tells whether any of the paths into a template's data leads to something unknown.
func reads(paths [][]string, unknown placement.Unknown) bool {
	for _, p := range paths {
		if len(p) == 0 || p[0] != "cluster" {
			continue
		}
		for part, isUnknown := range unknown {
			if !isUnknown || !slices.Contains(seen, part.Field) {
				continue
			}
			if len(p) == 1 || p[1] == part.Field && (len(p) == 2 || part.Entry == "" || part.Entry == p[2]) {
				return true
			}
		}
	}
	return false
}

// override applies the overrides.
func (r *Renderer) override(c fleet.Cluster, objects []manifest.Object) (Rendered, error) {
	if len(r.source.Overrides) == 0 {
		return Rendered{Objects: objects}, nil
	}
	given := make([]override.Object, 0, len(objects))
	for _, o := range objects {
		given = append(given, override.Object{Key: r.source.InNamespace(o.Key), Content: o.Object, Confidential: o.WriteOnly || r.sensitive(o)})
	}
	result, err := r.overrides.Rewrite(c, given)
	if err != nil {
		return Rendered{uses: result.Uses}, err
	}
	rendered := Rendered{Excluded: result.Excluded, uses: result.Uses}
	var errs []error
	at := 0
	for i, o := range objects {
		if at == len(result.Objects) || result.Objects[at].Key != given[i].Key {
			continue
		}
		content := result.Objects[at].Content
		at++
		if reflect.ValueOf(content).UnsafePointer() != reflect.ValueOf(o.Object).UnsafePointer() {
			changed, err := manifest.Changed(o, content)
			if err != nil {
				errs = append(errs, afterOverrides(given[i].Key, err)...)
				continue
			}
			o = changed
			if o.WriteOnly {
				o.Overridden = r.overriding(c, given[i].Key, objects[i])
			}
		}
		rendered.Objects = append(rendered.Objects, o)
	}
	return rendered, errors.Join(errs...)
}

// overriding is a digest of the overrides that are for an object on the cluster.
func (r *Renderer) overriding(c fleet.Cluster, key fleet.ObjectKey, o manifest.Object) string {
	var said []string
	for _, rule := range r.source.Overrides {
		if !rule.Target.Matches(key, o.GetLabels()) {
			continue
		}
		if rule.Clusters != nil {
			if ok, _, err := rule.Clusters.Match(c); err != nil || !ok {
				continue
			}
		}
		said = append(said, rule.canonical())
	}
	return manifest.Digest(said...)
}

// afterOverrides says what is wrong with an object that was right before the overrides.
func afterOverrides(key fleet.ObjectKey, err error) []error {
	var errs []error
	for _, e := range fleet.Flatten(err) {
		wrong := &OverriddenError{Key: key, Message: e.Error()}
		var m *manifest.Error
		if errors.As(e, &m) {
			wrong.Field, wrong.Message = m.Field, m.Message
		}
		errs = append(errs, wrong)
	}
	return errs
}

// sensitive tells whether the object has fields whose values may not be shown.
func (r *Renderer) sensitive(o manifest.Object) bool {
	return slices.ContainsFunc(r.source.Sensitive, func(f FieldRule) bool { return f.Target.Matches(r.source.InNamespace(o.Key), o.GetLabels()) })
}

// failed turns what is wrong into errors that name the cluster; a single one comes back as itself, not joined.
func failed(cluster string, err error) error {
	var errs []error
	for _, e := range fleet.Flatten(err) {
		errs = append(errs, &RenderError{Cluster: cluster, Err: e})
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// Render gives the set its objects. unknown are the parts of clusters that are not known yet: where it depends on them what a cluster gets,
// nothing is known of its objects; those clusters are returned. The errors are of the types *RenderError and *override.UnusedError.
func (s *Set) Render(r *Renderer, unknown map[string]placement.Unknown) (undecided []string, errs []error) {
	s.Own, s.Excluded = map[string][]manifest.Object{}, map[string][]override.Exclusion{}
	if r.Same() && r.fallback.err == nil {
		s.Objects = r.fallback.plain
	}
	var uses [][]override.Use
	open := s.WriteOnlyUnknown
	for _, name := range slices.Sorted(maps.Keys(s.Clusters)) {
		depends, err := r.Undecided(s.Clusters[name], unknown[name])
		if err != nil {
			errs = append(errs, err)
			open = true
			continue
		}
		if depends {
			s.UnknownAccess[name], open = true, true
			undecided = append(undecided, name)
			continue
		}
		rendered, err := r.Render(s.Clusters[name])
		if err != nil {
			errs = append(errs, err)
			open = true
			continue
		}
		uses = append(uses, rendered.uses)
		s.Own[name] = rendered.Objects[len(s.Objects):]
		if len(rendered.Excluded) > 0 {
			s.Excluded[name] = rendered.Excluded
		}
	}
	if open || len(r.source.Overrides) == 0 {
		// A rule may be for what is not known yet.
		return undecided, errs
	}
	for _, unused := range r.overrides.Unused(uses) {
		errs = append(errs, unused)
	}
	return undecided, errs
}

// ObjectsFor are what the cluster gets, as far as that is known.
func (s Set) ObjectsFor(cluster string) []manifest.Object { return s.objects(cluster) }
