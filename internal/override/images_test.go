package override_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

const (
	sum   = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	other = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestImages(t *testing.T) {
	tag, name, pin := override.Image{Tag: "2"}, override.Image{Name: "mirror.eu:5000/nginx"}, override.Image{Digest: other}
	all := override.Image{Name: "mirror.eu/nginx", Tag: "2", Digest: other}
	tests := []struct {
		image, rule string
		with        override.Image
		want        string
	}{
		{"nginx", "nginx", tag, "nginx:2"},
		{"nginx:1", "nginx", tag, "nginx:2"},
		{"nginx@" + sum, "nginx", tag, "nginx:2"},
		{"nginx:1@" + sum, "nginx", tag, "nginx:2"},
		{"nginx", "nginx", name, "mirror.eu:5000/nginx"},
		{"nginx:1", "nginx", name, "mirror.eu:5000/nginx:1"},
		{"nginx@" + sum, "nginx", name, "mirror.eu:5000/nginx@" + sum},
		{"nginx:1@" + sum, "nginx", name, "mirror.eu:5000/nginx:1@" + sum},
		{"nginx", "nginx", pin, "nginx@" + other},
		{"nginx:1", "nginx", pin, "nginx@" + other},
		{"nginx:1@" + sum, "nginx", pin, "nginx@" + other},
		{"nginx:1@" + sum, "nginx", all, "mirror.eu/nginx:2@" + other},

		// The registry's port is no tag, and a name without a tag gets none by itself.
		{"localhost:5000/web", "localhost:5000/web", tag, "localhost:5000/web:2"},
		{"registry.eu:5000/team/web:1", "registry.eu:5000/team/web", tag, "registry.eu:5000/team/web:2"},
		{"registry.eu:5000/team/web:1", "registry.eu/team/web", tag, "registry.eu:5000/team/web:1"},
		{"registry.eu:5000/web@" + sum, "registry.eu:5000/web", override.Image{Name: "web"}, "web@" + sum},

		// Names mean the same written short or long, and stay as they were written.
		{"docker.io/library/nginx:1", "nginx", tag, "docker.io/library/nginx:2"},
		{"index.docker.io/library/nginx:1", "nginx", tag, "index.docker.io/library/nginx:2"},
		{"nginx:1", "docker.io/library/nginx", tag, "nginx:2"},
		{"team/nginx:1", "docker.io/team/nginx", tag, "team/nginx:2"},

		// Others are left alone.
		{"team/nginx:1", "nginx", tag, "team/nginx:1"},
		{"nginx-extra:1", "nginx", tag, "nginx-extra:1"},
		{"quay.io/nginx:1", "nginx", tag, "quay.io/nginx:1"},
		{"{{ .cluster.name }}/nginx", "nginx", tag, "{{ .cluster.name }}/nginx"},
		{"Not An Image", "nginx", tag, "Not An Image"},
		{"", "nginx", tag, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.image, " ", tt.rule, " ", tt.with), func(t *testing.T) {
			o := object(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: %q}]}}`, tt.image))
			got, err := rewrite(t, o, override.Rule{Images: map[string]override.Image{tt.rule: tt.with}})
			if err != nil {
				t.Fatal(err)
			}
			want := content(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: %q}]}}`, tt.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestImagesAreFoundInPods has each kind that describes pods, with an image in each place.
func TestImagesAreFoundInPods(t *testing.T) {
	const pod = `{initContainers: [{name: i, image: x:%[1]s}], containers: [{name: c, image: x:%[1]s}, {name: d, image: y}, {name: e}],
		ephemeralContainers: [{name: e, image: x:%[1]s}], volumes: [{name: v, image: {reference: x:%[1]s}}, {name: w, emptyDir: {}}]}`
	for kind, around := range map[string]string{
		"v1 Pod":                        "spec: %s",
		"v1 PodTemplate":                "template: {spec: %s}",
		"v1 ReplicationController":      "spec: {template: {spec: %s}}",
		"apps/v1 Deployment":            "spec: {template: {spec: %s}}",
		"apps/v1 ReplicaSet":            "spec: {template: {spec: %s}}",
		"apps/v1 StatefulSet":           "spec: {template: {spec: %s}}",
		"apps/v1 DaemonSet":             "spec: {template: {spec: %s}}",
		"extensions/v1beta1 Deployment": "spec: {template: {spec: %s}}",
		"batch/v1 Job":                  "spec: {template: {spec: %s}}",
		"batch/v1 CronJob":              "spec: {jobTemplate: {spec: {template: {spec: %s}}}}",
	} {
		t.Run(kind, func(t *testing.T) {
			var apiVersion, name string
			if _, err := fmt.Sscan(kind, &apiVersion, &name); err != nil {
				t.Fatal(err)
			}
			text := func(tag string) string {
				return fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: web}, ", apiVersion, name) + fmt.Sprintf(around, fmt.Sprintf(pod, tag)) + "}"
			}
			got, err := rewrite(t, object(t, text("1")), override.Rule{Images: map[string]override.Image{"x": {Tag: "2"}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(content(t, text("2")), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for _, text := range []string{
		`{apiVersion: example.org/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: c, image: "x:1"}]}}}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {image: "x:1"}}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: [1]}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: {image: x}, volumes: [1], initContainers: [1, {image: 1}]}}`,
	} {
		got, err := rewrite(t, object(t, text), override.Rule{Images: map[string]override.Image{"x": {Tag: "2"}}})
		if diff := cmp.Diff(content(t, text), got); err != nil || diff != "" {
			t.Errorf("%s: error %v, (-want +got)\n%s", text, err, diff)
		}
	}
}

// TestImagesAreSwapped shows that an image is changed once, by its present name.
func TestImagesAreSwapped(t *testing.T) {
	o := object(t, `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: "a:1"}, {name: b, image: "b:1"}]}}`)
	got, err := rewrite(t, o, override.Rule{Images: map[string]override.Image{"a": {Name: "b"}, "b": {Name: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := content(t, `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: "b:1"}, {name: b, image: "a:1"}]}}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
