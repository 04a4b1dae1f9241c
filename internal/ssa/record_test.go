package ssa

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	// What comes from a cluster or from package manifest has int64 for whole numbers.
	data, err := obj.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return obj
}

// TestPredictRepeats is the promise on which every plan rests: what an apply made of a body is what the next plan of the
// same body predicts, without asking the cluster.
func TestPredictRepeats(t *testing.T) {
	paths := []string{"spec.replicas", "spec.items", "spec.items[name=a]", "spec.items[name=a].x", "spec.items[name=b].x", "metadata.labels['a.b/c']", "spec"}
	fields := rapid.Custom(func(t *rapid.T) Fields {
		f := Fields{}
		for _, p := range paths {
			if rapid.Bool().Draw(t, "has "+p) {
				f[p] = fmt.Sprintf("%d", rapid.IntRange(0, 2).Draw(t, p))
			}
		}
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		sent, result := fields.Draw(t, "sent"), fields.Draw(t, "result")
		record := NewRecord(&unstructured.Unstructured{Object: map[string]any{}}, "body", sent, result)
		if diff := cmp.Diff(result, Predict("body", sent, &record), cmp.Transformer("map", func(f Fields) map[string]string { return f })); diff != "" {
			t.Fatalf("(-result +predicted)\n%s", diff)
		}
	})
}

func TestPredictChangedValue(t *testing.T) {
	sent := Fields{"cpu": `"0.5"`, "replicas": "3"}
	record := NewRecord(&unstructured.Unstructured{Object: map[string]any{}}, "one", sent, Fields{"cpu": `"500m"`, "replicas": "3"})
	got := Predict("two", Fields{"cpu": `"0.7"`, "replicas": "5"}, &record)
	if diff := cmp.Diff(Fields{"cpu": `"0.7"`, "replicas": "5"}, got); diff != "" {
		t.Error(diff)
	}
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
  labels: {app.kubernetes.io/name: web, applyset.kubernetes.io/part-of: set}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        args: [a, b]
        resources: {requests: {cpu: 0.5, memory: 1Gi}}
        ports:
        - containerPort: 80
      volumes:
      - name: tmp
        emptyDir: {}
`

func TestSent(t *testing.T) {
	got, err := Sent(object(t, deployment), nil)
	if err != nil {
		t.Fatal(err)
	}
	const c = "spec.template.spec.containers[name=web]"
	want := Fields{
		"metadata.labels['app.kubernetes.io/name']": `"web"`,
		"spec.replicas":                     "3",
		"spec.selector":                     `{"matchLabels":{"app":"web"}}`,
		"spec.template.metadata.labels.app": `"web"`,
		c + ".name":                         `"web"`,
		c + ".image":                        `"nginx"`,
		c + ".args":                         `["a","b"]`,
		c + ".resources.requests.cpu":       `"500m"`,
		c + ".resources.requests.memory":    `"1Gi"`,
		c + ".ports[containerPort=80,protocol=TCP].containerPort": "80",
		"spec.template.spec.volumes[name=tmp].name":               `"tmp"`,
		"spec.template.spec.volumes[name=tmp].emptyDir":           `{}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLongValuesAreDigests(t *testing.T) {
	obj := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}")
	obj.Object["data"] = map[string]any{"big": string(make([]byte, 2000)), "small": "x"}
	got, err := Sent(obj, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got["data.big"]) > 60 || got["data.small"] != `"x"` {
		t.Errorf("got %v", got)
	}
}
