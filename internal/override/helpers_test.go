package override_test

import (
	"encoding/json"
	"errors"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// content reads a YAML text as Kubernetes does.
func content(t testing.TB, text string) map[string]any {
	t.Helper()
	converted, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := utiljson.Unmarshal(converted, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func object(t testing.TB, text string) override.Object {
	t.Helper()
	m := content(t, text)
	var identity struct {
		APIVersion, Kind string
		Metadata         struct{ Namespace, Name string }
	}
	if err := yaml.Unmarshal([]byte(text), &identity); err != nil {
		t.Fatal(err)
	}
	key := fleet.ObjectKey{Kind: identity.Kind, Namespace: identity.Metadata.Namespace, Name: identity.Metadata.Name}
	for i := range identity.APIVersion {
		if identity.APIVersion[i] == '/' {
			key.Group = identity.APIVersion[:i]
		}
	}
	return override.Object{Key: key, Content: m}
}

func compile(t testing.TB, rules ...override.Rule) *override.Overrides {
	t.Helper()
	overrides, err := override.Compile(rules)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return overrides
}

var eu1 = fleet.Cluster{Name: "eu-1", Labels: map[string]string{"region": "eu"}}

// rewrite applies rules to one object on one cluster.
func rewrite(t testing.TB, o override.Object, rules ...override.Rule) (map[string]any, error) {
	t.Helper()
	before := jsonText(t, o.Content)
	result, err := compile(t, rules...).Rewrite(eu1, []override.Object{o})
	if after := jsonText(t, o.Content); before != after {
		t.Fatalf("the input was changed from %s to %s", before, after)
	}
	if err != nil {
		if errs := (override.Errors)(nil); !errors.As(err, &errs) || len(errs) == 0 {
			t.Fatalf("want override.Errors, got %T", err)
		}
		return nil, err
	}
	if len(result.Objects) != 1 {
		return nil, nil
	}
	return result.Objects[0].Content, nil
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
