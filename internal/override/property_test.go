package override_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// values generates what objects and patches hold.
func values(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Map(rapid.StringMatching(`[a-z<"~/é]{0,4}`), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.SampledFrom([]any{0.5, -1e30, 1e-7}),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(l []any) any { return l }),
		rapid.Map(mappings(depth-1), func(m map[string]any) any { return m }),
		rapid.Map(mappings(depth-1), func(m map[string]any) any { return m }),
	)...)
}

func mappings(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.StringMatching(`[abc~/]{1,2}`), values(depth), 0, 4)
}

// withNulls generates merge patches.
func withNulls(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		v := values(depth).Draw(t, "value")
		var visit func(v any)
		visit = func(v any) {
			if m, ok := v.(map[string]any); ok {
				for _, key := range []string{"a", "b", "c"} {
					if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
						m[key] = nil
					}
					visit(m[key])
				}
			}
		}
		visit(v)
		return v
	})
}

func documentOf(doc any) override.Object {
	return override.Object{
		Key:     fleet.ObjectKey{Group: "example.org", Kind: "Document", Name: "doc"},
		Content: map[string]any{"apiVersion": "example.org/v1", "kind": "Document", "metadata": map[string]any{"name": "doc"}, "doc": doc},
	}
}

func marshal(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run applies rules to a document, checks that it stays as it is and shares nothing with the result, and returns the field doc of that.
func run(t *rapid.T, doc any, rules ...override.Rule) any {
	overrides, err := override.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	o := documentOf(doc)
	before := marshal(t, o.Content)
	result, err := overrides.Rewrite(eu1, []override.Object{o})
	if err != nil {
		t.Fatal(err)
	}
	got := marshal(t, result.Objects[0].Content)
	if changed := result.Objects[0].Content; !reflect.DeepEqual(changed, o.Content) {
		scribble(changed)
	}
	if after := marshal(t, o.Content); before != after {
		t.Fatalf("the input was changed from %s to %s", before, after)
	}
	again, err := overrides.Rewrite(eu1, []override.Object{o})
	if err != nil || marshal(t, again.Objects[0].Content) != got {
		t.Fatalf("a second rewrite gives %v, error %v, after %s", again, err, got)
	}
	return again.Objects[0].Content["doc"]
}

// scribble writes over everything in a value.
func scribble(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			scribble(item)
			v[key] = "scribble"
		}
	case []any:
		for i, item := range v {
			scribble(item)
			v[i] = "scribble"
		}
	}
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if item == nil {
				delete(v, key)
			} else {
				v[key] = withoutNulls(item)
			}
		}
	case []any:
		for i, item := range v {
			v[i] = withoutNulls(item)
		}
	}
	return v
}

func TestMergePatchIsWhatTheLibraryMakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, patch := values(3).Draw(t, "doc"), withNulls(3).Draw(t, "patch")
		text := marshal(t, map[string]any{"doc": patch})
		merged, err := jsonpatch.MergePatch([]byte(marshal(t, map[string]any{"doc": doc})), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := utiljson.Unmarshal(merged, &want); err != nil {
			t.Fatal(err)
		}
		for _, rule := range []override.Rule{{MergePatch: text}, {StrategicPatch: text}} {
			if diff := cmp.Diff(withoutNulls(want["doc"]), run(t, doc, rule)); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(run(t, doc, rule), run(t, doc, rule, rule)); diff != "" {
				t.Fatalf("twice is not the same (-once +twice)\n%s", diff)
			}
		}
	})
}

// TestJSONPatchAddsAndRemoves: what is put somewhere can be found there and taken away again.
func TestJSONPatchAddsAndRemoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := mappings(3).Draw(t, "doc")
		key := rapid.StringMatching(`[xyz~/]{1,3}`).Filter(func(s string) bool { return strings.ContainsAny(s, "xyz") }).Draw(t, "key")
		v := values(2).Draw(t, "value")
		at := "/doc/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		add := map[string]any{"op": "add", "path": at, "value": v}
		operations := []any{
			add,
			map[string]any{"op": "test", "path": at, "value": v},
			map[string]any{"op": "move", "from": at, "path": "/doc/elsewhere"},
			map[string]any{"op": "copy", "from": "/doc/elsewhere", "path": at},
			map[string]any{"op": "replace", "path": at, "value": 1},
			map[string]any{"op": "remove", "path": at},
			map[string]any{"op": "remove", "path": "/doc/elsewhere"},
		}
		if diff := cmp.Diff(any(doc), run(t, doc, override.Rule{JSONPatch: marshal(t, operations)})); diff != "" {
			t.Fatalf("there and back (-before +after)\n%s", diff)
		}
		got, _ := run(t, doc, override.Rule{JSONPatch: marshal(t, []any{add})}).(map[string]any)
		if diff := cmp.Diff(v, got[key]); diff != "" || len(got) != len(doc)+1 {
			t.Fatalf("added (-want +got)\n%s", diff)
		}
	})
}

// TestOrderOfDisjointRulesDoesNotMatter has rules for different fields.
func TestOrderOfDisjointRulesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := map[string]any{}
		var rules []override.Rule
		for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
			name := fmt.Sprint("field", i)
			doc[name] = mappings(2).Draw(t, "part")
			v := withNulls(2).Draw(t, "value")
			rules = append(rules, rapid.SampledFrom([]override.Rule{
				{MergePatch: marshal(t, map[string]any{"doc": map[string]any{name: v}})},
				{StrategicPatch: marshal(t, map[string]any{"doc": map[string]any{name: v}})},
				{JSONPatch: marshal(t, []any{map[string]any{"op": "replace", "path": "/doc/" + name, "value": v}})},
			}).Draw(t, "rule"))
		}
		want := run(t, doc, rules...)
		if diff := cmp.Diff(want, run(t, doc, rapid.Permutation(rules).Draw(t, "permutation")...)); diff != "" {
			t.Fatalf("(-in order +otherwise)\n%s", diff)
		}
	})
}

func TestExcludedObjectsVanish(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-e]{1,2}`), 1, 8, rapid.ID[string]).Draw(t, "names")
		out := rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "excluded")
		var objects []override.Object
		for _, name := range names {
			o := documentOf(name)
			o.Key.Name = name
			objects = append(objects, o)
		}
		overrides, err := override.Compile([]override.Rule{{
			Target:  func(key fleet.ObjectKey, _ map[string]string) bool { return slices.Contains(out, key.Name) },
			Exclude: true,
		}, {MergePatch: `{"x": 1}`}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := overrides.Rewrite(eu1, objects)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, o := range got.Objects {
			kept = append(kept, o.Key.Name)
		}
		want := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(out, name) })
		if !slices.Equal(want, kept) || len(got.Excluded) != len(names)-len(kept) || got.Uses[1].Objects != len(kept) {
			t.Fatalf("want %v, got %v, excluded %v, uses %v", want, kept, got.Excluded, got.Uses)
		}
	})
}

func TestImagesAreIdempotent(t *testing.T) {
	tags := rapid.SampledFrom([]string{"", ":1", ":v2.0_x", "@" + sum, ":1@" + sum})
	rapid.Check(t, func(t *rapid.T) {
		var containers []any
		for range rapid.IntRange(0, 5).Draw(t, "containers") {
			name := rapid.SampledFrom([]string{"nginx", "docker.io/library/nginx", "reg.eu:5000/a/nginx", "localhost:5000/web", "team/web", "no image"}).Draw(t, "image")
			containers = append(containers, map[string]any{"image": name + tags.Draw(t, "tag")})
		}
		rule := override.Rule{Images: map[string]override.Image{}}
		for _, name := range []string{"nginx", "reg.eu:5000/a/nginx", "localhost:5000/web"} {
			rule.Images[name] = override.Image{
				Name: rapid.SampledFrom([]string{"", "mirror.eu:5000/" + name[strings.LastIndex(name, "/")+1:]}).Draw(t, "new name"),
				Tag:  rapid.SampledFrom([]string{"3", "4"}).Draw(t, "new tag"), Digest: rapid.SampledFrom([]string{"", other}).Draw(t, "new digest"),
			}
		}
		o := documentOf(nil)
		o.Content = map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{"containers": containers}}
		apply := func(rules ...override.Rule) override.Object {
			overrides, err := override.Compile(rules)
			if err != nil {
				t.Fatal(err)
			}
			result, err := overrides.Rewrite(eu1, []override.Object{o})
			if err != nil {
				t.Fatal(err)
			}
			return result.Objects[0]
		}
		if diff := cmp.Diff(apply(rule), apply(rule, rule)); diff != "" {
			t.Fatalf("(-once +twice)\n%s", diff)
		}
	})
}

// TestErrorsKeepSecrets: whatever fails, no value of a Secret is in the message.
func TestErrorsKeepSecrets(t *testing.T) {
	const value = "aHVudGVyMg=="
	failures := 0
	rapid.Check(t, func(t *rapid.T) {
		o := override.Object{
			Key: fleet.ObjectKey{Kind: "Secret", Name: "web"},
			Content: map[string]any{
				"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{
					"name": "web", "annotations": map[string]any{"a": value}, "finalizers": []any{value},
					"ownerReferences": []any{map[string]any{"uid": value, "bogus": map[string]any{"a": value}}},
				},
				"data": map[string]any{"a": value, "b": value, "list": []any{value}},
			},
		}
		pointer := rapid.SampledFrom([]string{"", "/data", "/data/a", "/data/x", "/data/list/0", "/data/list/7", "/data/a/b", "/metadata", "/metadata/name", "/metadata/finalizers/x", "/type"})
		given := rapid.SampledFrom([]any{value, []any{value}, map[string]any{"a": value}, map[string]any{value: value}, nil, int64(1)})
		overrides, err := override.Compile([]override.Rule{rapid.SampledFrom([]override.Rule{
			{JSONPatch: marshal(t, []any{map[string]any{
				"op":   rapid.SampledFrom([]string{"add", "replace", "test", "copy", "move", "remove"}).Draw(t, "op"),
				"path": pointer.Draw(t, "path"), "from": pointer.Draw(t, "from"), "value": given.Draw(t, "value"),
			}})},
			{MergePatch: marshal(t, map[string]any{rapid.SampledFrom([]string{"kind", "metadata", "data", "apiVersion"}).Draw(t, "field"): given.Draw(t, "value")})},
			{StrategicPatch: marshal(t, map[string]any{"metadata": map[string]any{"ownerReferences": []any{map[string]any{"uid": value, "bogus": map[string]any{"b": value}}}}})},
			{StrategicPatch: marshal(t, map[string]any{"metadata": map[string]any{rapid.SampledFrom([]string{"name", "namespace", "ownerReferences", "finalizers"}).Draw(t, "field"): given.Draw(t, "value")}})},
		}).Draw(t, "rule")})
		if err == nil {
			_, err = overrides.Rewrite(eu1, []override.Object{o})
		}
		if err != nil {
			failures++
		}
		if strings.Contains(message(err), value) {
			t.Fatalf("a value is repeated: %v", err)
		}
	})
	if failures == 0 {
		t.Error("nothing failed, so nothing was tested")
	}
}
