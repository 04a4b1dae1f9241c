package deploy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

func selector(t *testing.T, sel fleet.Selector) *placement.Selector {
	t.Helper()
	s, err := placement.Compile(sel)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func config(name, value string) string {
	return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + "}, data: {k: '" + value + "'}}"
}

// outcome is what came of a rendering, as texts.
type outcome struct {
	Objects map[string][]string
	Unknown []string
	Errors  []string
}

func render(t *testing.T, source Source, clusters []fleet.Cluster, unknown map[string]placement.Unknown) outcome {
	t.Helper()
	r, err := NewRenderer(source)
	if err != nil {
		return outcome{Errors: strings.Split(err.Error(), "\n")}
	}
	set := Set{Clusters: map[string]fleet.Cluster{}, UnknownAccess: map[string]bool{}}
	for _, c := range clusters {
		set.Clusters[c.Name] = c
	}
	undecided, errs := set.Render(r, unknown)
	out := outcome{Objects: map[string][]string{}, Unknown: undecided}
	for _, err := range errs {
		out.Errors = append(out.Errors, strings.Split(err.Error(), "\n")...)
	}
	for _, c := range clusters {
		for _, o := range set.objects(c.Name) {
			data, _ := o.Object["data"].(map[string]any)
			text := o.Key.Name
			if k, ok := data["k"].(string); ok {
				text += "=" + k
			}
			out.Objects[c.Name] = append(out.Objects[c.Name], text)
		}
	}
	return out
}

func TestRender(t *testing.T) {
	eu := fleet.Cluster{Name: "eu-1", Labels: map[string]string{"region": "eu"}, Properties: map[string]string{"size": "2"}}
	us := fleet.Cluster{Name: "us-1", Labels: map[string]string{"region": "us"}}
	isUS := selector(t, fleet.Selector{MatchLabels: map[string]string{"region": "us"}})
	for _, c := range []struct {
		name    string
		source  Source
		unknown map[string]placement.Unknown
		want    outcome
	}{
		{"one text for all", Source{Texts: []string{config("a", "{{ as written }}")}, Fallback: true},
			map[string]placement.Unknown{"us-1": {{Field: "labels"}: true}},
			outcome{Objects: map[string][]string{"eu-1": {"a={{ as written }}"}, "us-1": {"a={{ as written }}"}}}},
		{"the first variant wins", Source{Texts: []string{config("a", "fallback")}, Fallback: true, Variants: []Variant{
			{Clusters: isUS, Texts: []string{config("a", "first")}}, {Clusters: isUS, Texts: []string{config("a", "second")}}}}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=fallback"}, "us-1": {"a=first"}}}},
		{"no fallback", Source{Variants: []Variant{{Clusters: isUS, Texts: []string{config("a", "first")}}}}, nil,
			outcome{Objects: map[string][]string{"us-1": {"a=first"}}, Errors: []string{"eu-1: " + (&NoTextsError{Variants: 1}).Error()}}},
		{"an empty fallback", Source{Fallback: true, Variants: []Variant{{Clusters: isUS, Texts: []string{config("a", "first")}}}}, nil,
			outcome{Objects: map[string][]string{"us-1": {"a=first"}}}},
		{"a variant that is undecided", Source{Fallback: true, Variants: []Variant{{Clusters: isUS, Texts: []string{config("a", "first")}}}},
			map[string]placement.Unknown{"us-1": {{Field: "labels", Entry: "region"}: true}, "eu-1": {{Field: "labels", Entry: "other"}: true, {Field: "access"}: true}},
			outcome{Objects: map[string][]string{}, Unknown: []string{"us-1"}}},
		{"only what a template reads matters", Source{Template: true, Texts: []string{config("a", "{{ .cluster.labels.region }}")}, Fallback: true},
			map[string]placement.Unknown{"eu-1": {{Field: "labels", Entry: "tier"}: true, {Field: "properties"}: true, {Field: "access"}: true}, "us-1": {{Field: "labels"}: true}},
			outcome{Objects: map[string][]string{"eu-1": {"a=eu"}}, Unknown: []string{"us-1"}}},
		{"all of a cluster", Source{Template: true, Texts: []string{config("a", "v{{ len (toJson .cluster.labels) }}")}, Fallback: true},
			map[string]placement.Unknown{"eu-1": {{Field: "labels", Entry: "tier"}: true}, "us-1": {{Field: "uid"}: true}},
			outcome{Objects: map[string][]string{"us-1": {"a=v15"}}, Unknown: []string{"eu-1"}}},
		{"an override that is undecided", Source{Texts: []string{config("a", "v")}, Fallback: true, Overrides: []Override{{Clusters: isUS, Rule: override.Rule{Exclude: true}}}},
			map[string]placement.Unknown{"us-1": {{Field: "labels"}: true}},
			outcome{Objects: map[string][]string{"eu-1": {"a=v"}}, Unknown: []string{"us-1"}}},
		{"templates by annotation, also of a list's items", Source{Fallback: true, Texts: []string{`
apiVersion: v1
kind: List
metadata: {annotations: {fleet.fleetform.io/template: "true"}}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: "{{ .cluster.name }}"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {fleet.fleetform.io/template: "false"}}, data: {k: "{{ literal }}"}}
---
` + config("c", "{{ literal }}")}}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=eu-1", "b={{ literal }}", "c={{ literal }}"}, "us-1": {"a=us-1", "b={{ literal }}", "c={{ literal }}"}}}},
		{"write-only texts read values and the cluster", Source{WriteOnly: []string{config("a", "{{ .values.v }}{{ .cluster.name }}")}, Values: map[string]map[string]string{"eu-1": {"v": "x"}}, Fallback: true}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=xeu-1"}},
				Errors: []string{`us-1: manifests_wo[0], document 1, line 1: data.k of ConfigMap a, template at 1:11: .values has no key "v" (it is empty); where it may be missing, add | default "..." after it; values_wo gives the values of each cluster`}}},
		{"an override reads the default namespace, and not that of cluster-scoped kinds", Source{Namespace: "web", Fallback: true,
			Texts:     []string{config("a", "v"), "{apiVersion: v1, kind: Namespace, metadata: {name: b}}"},
			Overrides: []Override{{Target: manifest.Target{Namespace: new(fleet.NewGlob("web"))}, Rule: override.Rule{MergePatch: "data: {k: patched}"}}}}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=patched", "b"}, "us-1": {"a=patched", "b"}}}},
		{"what a patch adds is read as a manifest is", Source{Fallback: true, Texts: []string{"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: ''}}"},
			Overrides: []Override{{Rule: override.Rule{MergePatch: "stringData: {k: x}"}}}}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=eA=="}, "us-1": {"a=eA=="}}}},
		{"and can be wrong", Source{Fallback: true, Texts: []string{config("a", "v")}, Overrides: []Override{{Clusters: isUS, Rule: override.Rule{MergePatch: "data: {k: 1}"}}}}, nil,
			outcome{Objects: map[string][]string{"eu-1": {"a=v"}}, Errors: []string{"us-1: ConfigMap a, after the overrides: data.k is a number, not a string; quote it"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, render(t, c.source, []fleet.Cluster{eu, us}, c.unknown)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What no cluster differs in is parsed once and shared.
func TestRenderShares(t *testing.T) {
	r, err := NewRenderer(Source{Texts: []string{config("a", "v")}, Fallback: true, Template: true, WriteOnly: []string{config("b", "w")}})
	if err != nil {
		t.Fatal(err)
	}
	set := Set{Clusters: map[string]fleet.Cluster{"a": {Name: "a"}, "b": {Name: "b"}}, UnknownAccess: map[string]bool{}}
	if _, errs := set.Render(r, nil); len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	if len(set.Objects) != 1 || len(set.Own["a"]) != 1 || !set.Own["a"][0].WriteOnly || set.Objects[0].WriteOnly {
		t.Errorf("objects %v, own %v", set.Objects, set.Own)
	}
	if set.objects("a")[0].Unstructured != set.objects("b")[0].Unstructured {
		t.Error("the object is there twice")
	}
}

// How many objects a cluster gets is not known where what is write-only depends on something unknown about it.
func TestRender_writeOnlyUndecided(t *testing.T) {
	got := render(t, Source{Texts: []string{config("a", "v")}, Fallback: true, WriteOnly: []string{config("b", "{{ .cluster.uid }}")}},
		[]fleet.Cluster{{Name: "eu-1"}}, map[string]placement.Unknown{"eu-1": {{Field: "uid"}: true}})
	if diff := cmp.Diff(outcome{Objects: map[string][]string{}, Unknown: []string{"eu-1"}}, got); diff != "" {
		t.Error(diff)
	}
}

// A text is checked before there is a cluster, without being refused for what only a cluster can tell.
func TestCheckTexts(t *testing.T) {
	for _, c := range []struct {
		name, text string
		writeOnly  bool
		want       string
	}{
		{"whole fields", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: "{{ fromJson .cluster.properties.labels }}"}, data: {k: "{{ .cluster.name }}"}}`, false, ""},
		{"a name", `{apiVersion: v1, kind: ConfigMap, metadata: {name: "a-{{ .cluster.name }}"}}`, false, "open"},
		{"a name of what is write-only", `{apiVersion: v1, kind: ConfigMap, metadata: {name: "a-{{ .cluster.name }}"}}`, true,
			"manifests[0], document 1, line 1: metadata.name is a template; what names an object stands in state and plan, so it has to be written out"},
		{"a kind", `{apiVersion: v1, kind: "{{ .cluster.name }}", metadata: {name: a}}`, false,
			"manifests[0], document 1, line 1: kind is a template; the kind of an object has to be written out, and for other kinds on some clusters there are variants"},
		{"syntax", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: '{{ nosuch }}'\n", false,
			`manifests[0], document 1, line 5: data.k of ConfigMap a, template at 1:4: there is no function "nosuch"; if the braces are not meant for this provider, write {{ ` + "`{{ ... }}`" + ` }} around them`},
		{"an item of a list with keys", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: c, image: '{{ nosuch }}'}\n", false,
			`manifests[0], document 1, line 6: spec.containers (spec.containers[name=c].image) of Pod a, template at 1:4: there is no function "nosuch"; if the braces are not meant for this provider, write {{ ` + "`{{ ... }}`" + ` }} around them`},
	} {
		t.Run(c.name, func(t *testing.T) {
			checked, err := CheckTexts(ArgumentManifests, []string{c.text}, true, c.writeOnly)
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case checked.Open:
				got = "open"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// FuzzRender holds that rendering neither panics nor changes what it was given, so that every cluster starts from the same.
func FuzzRender(f *testing.F) {
	f.Add(config("a", "{{ .cluster.name }}"), "data: {k: x}")
	f.Add("kind: List\nitems: [1, {kind: A}]", "a: null")
	f.Fuzz(func(t *testing.T, text, patch string) {
		r, err := NewRenderer(Source{Texts: []string{text}, Fallback: true, Template: true, Overrides: []Override{{Rule: override.Rule{MergePatch: patch}}}})
		if err != nil {
			return
		}
		c := fleet.Cluster{Name: "a"}
		first, err := r.Render(c)
		second, errSecond := r.Render(c)
		if (err == nil) != (errSecond == nil) || len(first.Objects) != len(second.Objects) {
			t.Fatalf("%v, then %v", err, errSecond)
		}
		for i := range first.Objects {
			if manifest.Hash(first.Objects[i].Unstructured) != manifest.Hash(second.Objects[i].Unstructured) {
				t.Errorf("rendered twice: %v, then %v", first.Objects[i].Object, second.Objects[i].Object)
			}
		}
	})
}
