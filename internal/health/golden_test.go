package health_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/golden"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

// example is one item of a file of testdata.
type example struct {
	About  string           `json:"about"`
	Object map[string]any   `json:"object"`
	Found  []map[string]any `json:"found"`
	At     struct {
		UID        string `json:"uid"`
		Generation int64  `json:"generation"`
	} `json:"at"`
	Check *struct {
		Current    string `json:"current"`
		InProgress string `json:"in_progress"`
		Failed     string `json:"failed"`
		Message    string `json:"message"`
	} `json:"check"`
}

// TestGolden judges each object of testdata and compares what is said of it with the .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			var examples []example
			if err := yaml.UnmarshalStrict(text, &examples); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, e := range examples {
				fmt.Fprintf(&got, "# %s\n%s\n", e.About, e.describe(t))
			}
			file := strings.TrimSuffix(input, ".yaml") + ".golden"
			golden.Check(t, file, got.String())
		})
	}
}

// object is what a client would have decoded: whole numbers are int64.
func object(t *testing.T, content map[string]any) *unstructured.Unstructured {
	t.Helper()
	text, err := yaml.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = yaml.YAMLToJSON(text); err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return obj
}

func (e example) describe(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	obj := object(t, e.Object)
	var checks *health.Checks
	if e.Check != nil {
		gk := obj.GroupVersionKind().GroupKind()
		var problems []*health.CheckError
		checks, problems = health.Compile([]health.Check{{Group: gk.Group, Kind: gk.Kind, Current: e.Check.Current, InProgress: e.Check.InProgress, Failed: e.Check.Failed, Message: e.Check.Message}})
		for _, p := range problems {
			fmt.Fprintf(&b, "error: %v\n", p)
		}
		if len(problems) > 0 {
			return b.String()
		}
	}
	h, err := checks.EvaluateAt(obj, health.At{UID: e.At.UID, Generation: e.At.Generation})
	fmt.Fprintf(&b, "%s: %s\n", h.State, h.Message)
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	if e.Found == nil {
		return b.String()
	}
	for _, l := range health.Related(obj) {
		fmt.Fprintf(&b, "list %s in %q by %q %q\n", l.Kind.Kind, l.Namespace, l.LabelSelector, l.FieldSelector)
	}
	var found []unstructured.Unstructured
	for _, f := range e.Found {
		found = append(found, *object(t, f))
	}
	reason, ask := health.Reason(obj, found)
	fmt.Fprintf(&b, "because: %s\n", reason)
	for _, l := range ask {
		fmt.Fprintf(&b, "ask for %s by %q\n", l.Kind.Kind, l.FieldSelector)
	}
	return b.String()
}
