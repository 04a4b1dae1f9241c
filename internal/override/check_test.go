package override_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// TestCheck has a rule for each way of being wrong by itself. Where hunter2 stands for a value, it is not repeated.
func TestCheck(t *testing.T) {
	json := func(text string) override.Rule { return override.Rule{JSONPatch: text} }
	merge := func(text string) override.Rule { return override.Rule{MergePatch: text} }
	strategic := func(text string) override.Rule { return override.Rule{StrategicPatch: text} }
	image := func(name string, with override.Image) override.Rule {
		return override.Rule{Images: map[string]override.Image{name: with}}
	}
	const identity = "an object without %s is none; a patch has to keep the identity of the object"
	const removed = "null removes this, and an object without it is none; a patch has to keep the identity of the object"
	tests := []struct {
		name string
		rule override.Rule
		want string
	}{
		{"nothing", override.Rule{}, "the rule changes nothing; want exactly one of json_patch, merge_patch, strategic_patch, images and exclude = true"},
		{"two things", override.Rule{MergePatch: "a: 1", Exclude: true},
			"the rule has merge_patch and exclude; want exactly one of json_patch, merge_patch, strategic_patch, images and exclude = true, and a rule for each"},

		{"blank", merge(" \n"), "merge_patch: want a mapping with the fields to change, as in spec: {replicas: 1}, and this is null"},
		{"empty", merge("{}"), "merge_patch: the patch is empty; want the fields to change, as in spec: {replicas: 1}"},
		{"a list", merge("[hunter2]"), "merge_patch: want a mapping with the fields to change, as in spec: {replicas: 1}, and this is a list"},
		{"a word", strategic("hunter2"), "strategic_patch: want a mapping with the fields to change, as in spec: {replicas: 1}, and this is a string"},
		{"not YAML", merge("a: 1\n  b: hunter2: 3"), "merge_patch, line 2: this is neither YAML nor JSON: mapping values are not allowed in this context"},
		{"an alias", merge("a: *hunter2"), "merge_patch: this is neither YAML nor JSON: an alias (*) without its anchor (&); quote a value that begins with an asterisk"},
		{"an endless alias", merge("a: &a {b: *a}"), "merge_patch: JSON cannot express this: a value does not fit its tag or is no finite number, or aliases (*) stand for too much"},
		{"infinity", merge("a: .inf"), "merge_patch: JSON cannot express this: a value does not fit its tag or is no finite number, or aliases (*) stand for too much"},
		{"a tag that does not fit", merge("a: !!int hunter2"), "merge_patch: JSON cannot express this: a value does not fit its tag or is no finite number, or aliases (*) stand for too much"},
		{"a tag", merge("a: {b: !hunter2 x}"), "merge_patch, line 1, a.b: this has a tag of its own, which Kubernetes does not know; quote the value if it begins with an exclamation mark"},
		{"two documents", merge("a: 1\n---\nb: 1"), "merge_patch, line 3: a second document begins here, and a patch is one document; write a rule for each"},
		{"twice", merge("spec:\n  a: 1\n  b: 2\n  a: hunter2"), "merge_patch, line 4, spec.a: this is there twice, first on line 2; remove one"},
		{"twice in JSON", merge(`{"spec": {"a": 1, "a": "hunter2"}}`), `merge_patch: duplicate field "spec.a"; remove one`},
		{"twice in YAML that looks like JSON", merge(`{"spec": {"a": 1, a: hunter2}}`), "merge_patch, line 1, spec.a: this is there twice, first on line 1; remove one"},
		{"a boolean as key", merge("data: {on: hunter2}"), `merge_patch, line 1, data: the key on is a boolean to YAML 1.1; quote it: "on"`},
		{"a number as key", merge("data: {1: hunter2}"), "merge_patch, line 1, data: a key here is null or a number and not a string; quote it"},
		{"braces without quotes", merge("data: {a: {{ hunter2 }}}"), "merge_patch, line 1, data.a: a mapping or a list stands as a key here; quote it, or quote the value if it begins with a brace"},
		{"a directive in a merge patch", merge("spec: {a: [{b: {$patch: delete}}]}"),
			"merge_patch, spec.a[0].b['$patch']: this is a directive of strategic merge patches; use strategic_patch, or, in a merge patch, null to remove a field"},
		{"without a name", merge("metadata: {name: null}"), "merge_patch, metadata.name: " + removed},
		{"without a kind", merge("kind: null"), "merge_patch, kind: " + removed},
		{"without metadata", strategic("metadata: ~"), "strategic_patch, metadata: " + removed},

		{"$patch for the whole object", strategic("$patch: delete"), "strategic_patch, ['$patch']: this is about the whole object; to leave it out use exclude = true"},
		{"$patch with another word", strategic("a: {$patch: merge}"), `strategic_patch, a['$patch']: want "replace" or "delete" here`},
		{"$patch: replace beside an item", strategic("a: [{name: x, $patch: replace}]"), "strategic_patch, a[0]['$patch']: in a list this replaces the whole list, and stands in an item of its own"},
		{"a null item", strategic("a: [~]"), "strategic_patch, a[0]: an item of a list cannot be null; to remove one, write $patch: delete beside its key"},
		{"$retainKeys that is no list", strategic("a: {$retainKeys: hunter2}"), "strategic_patch, a['$retainKeys']: want a list of the names of the fields to keep, and this is a string"},
		{"$deleteFromPrimitiveList of mappings", strategic("$deleteFromPrimitiveList/x: [{a: 1}]"), "strategic_patch, ['$deleteFromPrimitiveList/x']: want a list of the values to delete, and in it is a mapping"},
		{"$setElementOrder without items", strategic("$setElementOrder/x: []"), "strategic_patch, ['$setElementOrder/x']: want a list of items in their order"},

		{"a mapping for a list of operations", json(`{"op": "remove", "path": "/a"}`), `json_patch: want a list of operations, as in [{"op": "replace", "path": "/spec/replicas", "value": 1}], and this is a mapping`},
		{"no operations", json(`[]`), `json_patch: want a list of operations, as in [{"op": "replace", "path": "/spec/replicas", "value": 1}], and this is an empty one`},
		{"no operation", json(`["hunter2"]`), "json_patch[0]: want an operation, which is a mapping with op and path, and this is a string"},
		{"an unknown operation", json(`[{op: set, path: /a, value: 1}]`), "json_patch[0]: op has to be one of add, remove, replace, move, copy, test"},
		{"no op", json(`[{path: /a, value: 1}]`), "json_patch[0]: op has to be one of add, remove, replace, move, copy, test"},
		{"no path", json(`[{op: remove, pth: /a}]`), `json_patch[0]: remove needs path; did you mean it by "pth"?`},
		{"no value", json(`[{op: add, path: /a, vaule: hunter2}]`), `json_patch[0]: add needs value; did you mean it by "vaule"?`},
		{"no from", json(`[{op: copy, path: /a}]`), "json_patch[0]: copy needs from"},
		{"a path that is a number", json(`[{op: remove, path: 1}]`), "json_patch[0]: path has to be a JSON pointer such as /spec/replicas, and is a whole number"},
		{"a field path", json(`[{op: remove, path: "spec.args[0]"}]`), "json_patch[0], spec.args[0]: a JSON pointer begins with a slash, as in /spec/args/0"},
		{"a bare tilde", json(`[{op: remove, path: /a~b}]`), "json_patch[0], /a~b: in a JSON pointer a tilde is written ~0 (and a slash within a key ~1)"},
		{"an empty key", json(`[{op: remove, path: /a/}]`), "json_patch[0], /a/: the pointer names an empty key, which no object has; remove the slash too many"},
		{"a from that is none", json(`[{op: move, from: a, path: /b}]`), "json_patch[0], a: a JSON pointer begins with a slash, as in /a"},
		{"into itself", json(`[{op: move, from: /a, path: /a/b}]`), `json_patch[0], /a/b: what is moved away from "/a" cannot be put into itself`},
		{"the whole object removed", json(`[{op: remove, path: ""}]`), "json_patch[0]: this removes the whole object; use exclude = true for that"},
		{"the whole object moved", json(`[{op: move, from: "", path: "/a"}]`), `json_patch[0], /a: what is moved away from "" cannot be put into itself`},
		{"a part as the whole", json(`[{op: copy, from: /a, path: ""}]`), "json_patch[0]: this makes a part of the object the whole of it, which would be another object"},
		{"a list as the whole", json(`[{op: replace, path: "", value: [hunter2]}]`), "json_patch[0]: the whole object would become a list"},
		{"without kind", json(`[{op: remove, path: /kind}]`), "json_patch[0], /kind: " + strings.Replace(identity, "%s", "/kind", 1)},
		{"the name moved away", json(`[{op: move, from: /metadata/name, path: /a}]`), "json_patch[0], /a: " + strings.Replace(identity, "%s", "/metadata/name", 1)},
		{"all are told", json("[{op: x}, {op: test, path: /a, value: ~}, {op: remove}]"),
			"json_patch[0]: op has to be one of add, remove, replace, move, copy, test\njson_patch[2]: remove needs path"},

		{"no images", override.Rule{Images: map[string]override.Image{}}, `images: there is no image in it; want { "nginx" = { tag = "1.29" } }`},
		{"nothing to write", image("nginx", override.Image{}), `images["nginx"]: want a name, a tag or a digest to write instead`},
		{"a name with a tag", image("nginx:1", override.Image{Tag: "2"}),
			`images["nginx:1"]: "nginx:1" has a tag or a digest, or is a registry with a port and no name behind it; want the name of an image such as nginx or registry.example.org:5000/team/web, and give tag or digest beside it`},
		{"a registry only", image("nginx", override.Image{Name: "localhost:5000"}),
			`images["nginx"].name: "localhost:5000" has a tag or a digest, or is a registry with a port and no name behind it; want the name of an image such as nginx or registry.example.org:5000/team/web, and give tag or digest beside it`},
		{"upper case", image("Nginx", override.Image{Tag: "2"}),
			`images["Nginx"]: "Nginx" is no name of an image: repository name (library/Nginx) must be lowercase; want the name of an image such as nginx or registry.example.org:5000/team/web`},
		{"a scheme", image("nginx", override.Image{Name: "https://mirror.eu/nginx"}),
			`images["nginx"].name: "https://mirror.eu/nginx" is no name of an image: invalid reference format; want the name of an image such as nginx or registry.example.org:5000/team/web`},
		{"a tag with a colon", image("nginx", override.Image{Tag: ":2"}),
			`images["nginx"].tag: ":2" is no tag; want letters, digits, dots, dashes and underscores, at most 128, without the colon`},
		{"a short digest", image("nginx", override.Image{Digest: "sha256:abc"}),
			`images["nginx"].digest: "sha256:abc" is no digest; want one such as sha256: and 64 hexadecimal digits, without the @`},
		{"an image twice", override.Rule{Images: map[string]override.Image{"nginx": {Tag: "1"}, "docker.io/library/nginx": {Tag: "2"}}},
			`images["nginx"]: this is the same image as "docker.io/library/nginx"; leave one`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, problem := range override.Check(tt.rule) {
				got = append(got, problem.String())
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(strings.Join(got, "\n"), "hunter2") {
				t.Error("a value is repeated")
			}
		})
	}
}

func TestCheckAcceptsWhatUsersWrite(t *testing.T) {
	for name, rule := range map[string]override.Rule{
		"jsonencode":           {JSONPatch: `[{"op":"add","path":"/metadata/annotations","value":{"a":"\u003c\/\ud83d\ude00"}}]`},
		"yamlencode":           {MergePatch: "\"metadata\":\n  \"labels\":\n    \"a\": \"1\"\n"},
		"heredoc":              {MergePatch: "---\n# fewer\nspec:\n  replicas: 1\n---\n"},
		"anchors":              {StrategicPatch: "a: &a {x: 1}\nb: {<<: *a, z: 2}\n"},
		"quoted words as keys": {MergePatch: `data: {"on": "1", 'no': "2", "1": "3"}`},
		"identity":             {StrategicPatch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1}}"},
		"test of the kind":     {JSONPatch: `[{op: test, path: /kind, value: Deployment}, {op: replace, path: /metadata/name, value: web}]`},
		"exclude":              {Exclude: true},
		"images":               {Images: map[string]override.Image{"nginx": {Name: "registry.eu:5000/nginx", Tag: "v1.2_x-y", Digest: sum}}},
	} {
		if problems := override.Check(rule); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestCompileNamesTheRules(t *testing.T) {
	_, err := override.Compile([]override.Rule{{Exclude: true}, {}, {JSONPatch: "[{op: remove}]"}})
	want := "overrides[1]: the rule changes nothing; want exactly one of json_patch, merge_patch, strategic_patch, images and exclude = true\n" +
		"overrides[2].json_patch[0]: remove needs path"
	if diff := cmp.Diff(want, message(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
