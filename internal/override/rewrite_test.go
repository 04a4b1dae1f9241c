package override_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

func kind(name string) func(fleet.ObjectKey, map[string]string) bool {
	return func(key fleet.ObjectKey, _ map[string]string) bool { return key.Kind == name }
}

func label(key, value string) func(fleet.ObjectKey, map[string]string) bool {
	return func(_ fleet.ObjectKey, labels map[string]string) bool { return labels[key] == value }
}

func region(name string) func(fleet.Cluster) (bool, error) {
	return func(c fleet.Cluster) (bool, error) { return c.Labels["region"] == name, nil }
}

const (
	configMap = `{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {tier: a}}, data: {a: "1"}}`
	secret    = `{apiVersion: v1, kind: Secret, metadata: {name: web}, data: {password: aHVudGVyMg==}}`
)

func TestRulesAreAppliedInOrder(t *testing.T) {
	got, err := rewrite(t, object(t, configMap),
		override.Rule{MergePatch: `data: {a: "2", b: "1"}`},
		override.Rule{JSONPatch: `[{op: test, path: /data/a, value: "2"}, {op: replace, path: /data/b, value: "2"}]`},
		override.Rule{StrategicPatch: `data: {c: "3"}`},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := content(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {tier: a}}, data: {a: "2", b: "2", c: "3"}}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTargetsSeeTheObjectsAsGiven has a rule that changes the label by which a later one, and one that is no longer one, find their targets.
func TestTargetsSeeTheObjectsAsGiven(t *testing.T) {
	got, err := rewrite(t, object(t, configMap),
		override.Rule{MergePatch: `metadata: {labels: {tier: b}}`},
		override.Rule{Target: label("tier", "a"), MergePatch: `data: {a: "2"}`},
		override.Rule{Target: label("tier", "b"), MergePatch: `data: {a: "3"}`},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := content(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {tier: b}}, data: {a: "2"}}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestResult(t *testing.T) {
	o := compile(t,
		override.Rule{Clusters: region("us"), Exclude: true},
		override.Rule{Clusters: region("eu"), Target: kind("Secret"), Exclude: true},
		override.Rule{Target: kind("ConfigMap"), MergePatch: `data: {a: "1"}`},
		override.Rule{Target: kind("Deployment"), MergePatch: `spec: {replicas: 1}`},
	)
	objects := []override.Object{object(t, configMap), object(t, secret), object(t, deployment)}
	got, err := o.Rewrite(eu1, objects)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Objects) != 2 || got.Objects[0].Key.Kind != "ConfigMap" || got.Objects[1].Key.Kind != "Deployment" {
		t.Errorf("objects: %v", got.Objects)
	}
	if diff := cmp.Diff([]override.Exclusion{{Key: fleet.ObjectKey{Kind: "Secret", Name: "web"}, Rule: 1}}, got.Excluded); diff != "" {
		t.Errorf("excluded (-want +got)\n%s", diff)
	}
	type use struct {
		Cluster          bool
		Objects, Changed int
	}
	var uses []use
	for _, u := range got.Uses {
		uses = append(uses, use{u.Cluster, u.Objects, u.Changed})
	}
	if diff := cmp.Diff([]use{{}, {true, 1, 1}, {true, 1, 0}, {true, 1, 1}}, uses); diff != "" {
		t.Errorf("uses (-want +got)\n%s", diff)
	}
}

// TestNumbersStayWhatTheyAre: integers beyond what a float holds, and whole numbers however they are written.
func TestNumbersStayWhatTheyAre(t *testing.T) {
	const text = `{apiVersion: example.org/v1, kind: App, metadata: {name: web}, spec: {big: 9007199254740993, half: 0.5, small: 1}}`
	want := content(t, text)
	for name, value := range map[string]any{"new": int64(9223372036854775807), "thousand": int64(1000), "one": int64(1), "tenth": 0.1} {
		want["spec"].(map[string]any)[name] = value
	}
	for _, rule := range []override.Rule{
		{MergePatch: `spec: {new: 9223372036854775807, thousand: 1.0e+3, one: 1.0, tenth: 0.1}`},
		{MergePatch: `{"spec": {"new": 9223372036854775807, "thousand": 1e3, "one": 1.0, "tenth": 0.1}}`},
		{StrategicPatch: `spec: {new: 9223372036854775807, thousand: 1.0e+3, one: 1.0, tenth: 0.1}`},
		{JSONPatch: `[{op: add, path: /spec/new, value: 9223372036854775807}, {op: add, path: /spec/thousand, value: 1.0e+3}, {op: add, path: /spec/one, value: 1.0},
			{op: add, path: /spec/tenth, value: 0.1}]`},
	} {
		got, err := rewrite(t, object(t, text), rule)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got)\n%s", rule, diff)
		}
	}
}

func TestIdentityIsKept(t *testing.T) {
	const tail = "; a patch has to keep the identity of the object, and for other objects on some clusters there are variants"
	const namespaced = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: prod}, spec: {}}`
	tests := []struct{ object, patch, want string }{
		{namespaced, "metadata: {name: api}", `metadata.name: this would be "api" instead of "web", and so another object`},
		{namespaced, "metadata: {namespace: dev}", `metadata.namespace: this would be "dev" instead of "prod", and so another object`},
		{namespaced, "metadata: {namespace: null}", "metadata.namespace: this would leave the object without"},
		{namespaced, "kind: StatefulSet", `kind: this would be "StatefulSet" instead of "Deployment", and so another object`},
		{namespaced, "apiVersion: example.org/v1", "apiVersion: the API group has to stay; only the version may change"},
		{namespaced, "apiVersion: v1", "apiVersion: the API group has to stay; only the version may change"},
		{namespaced, "apiVersion: 1", "apiVersion: this would leave the object without"},
		{namespaced, "metadata: x", "metadata.name: this would leave the object without"},
		{namespaced, "metadata: {name: [a]}", "metadata.name: this would leave the object without"},
		{configMap, "metadata: {namespace: dev}", "metadata.namespace: this would make another object of it"},
		{secret, "metadata: {name: hunter2}", "metadata.name: this would make another object of it"},

		{namespaced, "apiVersion: apps/v2", ""},
		{namespaced, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: prod}}", ""},
		{configMap, `metadata: {namespace: ""}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.patch, func(t *testing.T) {
			o := object(t, tt.object)
			for argument, rule := range map[string]override.Rule{"merge_patch": {MergePatch: tt.patch}, "strategic_patch": {StrategicPatch: tt.patch}} {
				_, err := rewrite(t, o, rule)
				want := ""
				if tt.want != "" {
					want = "eu-1, " + o.Key.String() + ": overrides[0]." + argument + ", " + tt.want + tail
				}
				if diff := cmp.Diff(want, message(err)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
	for _, patch := range []string{
		`[{op: replace, path: "", value: {kind: Deployment}}]`,
		`[{op: move, from: /spec, path: /metadata}]`,
		`[{op: replace, path: /metadata, value: {name: web}}]`,
	} {
		if _, err := rewrite(t, object(t, namespaced), override.Rule{JSONPatch: patch}); err == nil {
			t.Errorf("%s: no error", patch)
		}
	}
}

func TestErrorsOfARewrite(t *testing.T) {
	broken := errors.New("the cel expression divides by zero")
	o := compile(t,
		override.Rule{Clusters: func(fleet.Cluster) (bool, error) { return false, broken }, Exclude: true},
		override.Rule{Target: kind("ConfigMap"), JSONPatch: `[{op: remove, path: /data/b}]`},
		override.Rule{Target: kind("ConfigMap"), JSONPatch: `[{op: remove, path: /data/c}]`},
		override.Rule{Target: kind("Secret"), JSONPatch: `[{op: test, path: /data/password, value: hunter3}]`},
	)
	got, err := o.Rewrite(eu1, []override.Object{object(t, configMap), object(t, secret), object(t, deployment)})
	want := strings.Join([]string{
		"eu-1: overrides[0].clusters: the cel expression divides by zero",
		`eu-1, ConfigMap web: overrides[1].json_patch[0], /data/b: there is no "b" in /data; did you mean "a"?`,
		"eu-1, Secret web: overrides[3].json_patch[0], /data/password: the value is not the one that the test wants",
	}, "\n")
	if diff := cmp.Diff(want, message(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !errors.Is(err, broken) {
		t.Error("the cause is lost")
	}
	if len(got.Objects) > 0 {
		t.Errorf("there are objects beside the error: %v", got.Objects)
	}
	if got.Uses[2].Objects != 1 || got.Uses[3].Objects != 1 {
		t.Errorf("uses: %+v", got.Uses)
	}
}

func TestStringDataHasBeenMoved(t *testing.T) {
	_, err := rewrite(t, object(t, secret), override.Rule{JSONPatch: `[{op: replace, path: /stringData/password, value: x}]`})
	want := `eu-1, Secret web: overrides[0].json_patch[0], /stringData/password: there is no "stringData" in the object; the stringData of a manifest has been moved, encoded, into data`
	if diff := cmp.Diff(want, message(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestUnused(t *testing.T) {
	rules := []override.Rule{
		{Clusters: region("asia"), Exclude: true},
		{Clusters: region("eu"), Target: kind("Service"), Exclude: true},
		{Clusters: region("eu"), Target: kind("Secret"), Exclude: true},
		{Clusters: region("eu"), Target: kind("Secret"), MergePatch: `data: {a: aQ==}`},
		{Target: kind("Deployment"), Images: map[string]override.Image{"nginx": {Tag: "2"}, "fluentd": {Tag: "2"}, "redis": {Tag: "2"}}},
		{Target: kind("ConfigMap"), Images: map[string]override.Image{"nginx": {Tag: "2"}}},
		{Clusters: region("us"), Target: kind("Secret"), MergePatch: `data: {a: aQ==}`},
		{MergePatch: `metadata: {labels: {a: b}}`},
		{Target: kind("Service"), Exclude: true},
	}
	o := compile(t, rules...)
	var uses [][]override.Use
	for _, cluster := range []fleet.Cluster{eu1, {Name: "us-1", Labels: map[string]string{"region": "us"}}} {
		result, err := o.Rewrite(cluster, []override.Object{object(t, configMap), object(t, secret), object(t, deployment)})
		if err != nil {
			t.Fatal(err)
		}
		uses = append(uses, result.Uses)
	}
	var got []string
	for _, unused := range o.Unused(uses) {
		got = append(got, unused.Error())
	}
	want := []string{
		"overrides[0].clusters: the rule is for none of the clusters of this set (2)",
		"overrides[1].target: the rule is for no object on the one cluster it is for",
		"overrides[3].target: each object the rule is for is excluded before, by overrides[2]; remove the rule or put it first",
		`overrides[4].images["fluentd"]: no pod of the objects the rule is for has this image; did you mean "fluent"?`,
		`overrides[4].images["redis"]: no pod of the objects the rule is for has this image (there is fluent, nginx)`,
		`overrides[5].images["nginx"]: no pod of the objects the rule is for has this image; they describe no pods with images that can be read`,
		"overrides[8].target: the rule is for no object on any of the 2 clusters it is for",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if unused := o.Unused(nil); unused != nil {
		t.Errorf("without clusters: %v", unused)
	}
}
