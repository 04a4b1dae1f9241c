package manifest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// TestScalarsMeanWhatTheyMeanToKubectl compares with the reader that kubectl uses.
func TestScalarsMeanWhatTheyMeanToKubectl(t *testing.T) {
	words := []string{
		"y", "Y", "yes", "Yes", "yES", "n", "no", "NO", "on", "oN", "off", "OFF", "true", "True", "false", "FALSE", "null", "Null", "~", "",
		"0", "-0", "00", "007", "08", "0o7", "0x1f", "0b11", "-0b11", "1_0", "+1", "1.", ".5", "1.50", "1e3", "1E-3", "-1.5e+3", "1e400", "0x1p4",
		"9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e18", "1e19", "12345678901234567890.0",
		"12:30", "2026-11-22", "2026-11-22T07:40:00Z", "<<", "=", "100m", "1Gi", "!!str 1", "!!float 1", "!!int '1'", "!!null ''", "'1'", `"\u0031"`,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := one(rapid.OneOf(
			rapid.SampledFrom(words),
			rapid.StringMatching(`[-+]?[0-9a-fxob_.]{1,6}([eE][-+]?[0-9]{1,2})?`),
			rapid.StringMatching(`[a-zA-Z0-9_.:/-]{1,6}`),
		).Draw(t, "text"))
		objects, _, err := manifest.Parse([]string{text})
		var want map[string]any
		converted, wantErr := yaml.YAMLToJSON([]byte(text))
		if wantErr == nil {
			wantErr = utiljson.Unmarshal(converted, &want)
		}
		if wantErr != nil || err != nil {
			if (wantErr == nil) != (err == nil) {
				t.Fatalf("error is %v, kubectl's is %v", err, wantErr)
			}
			return
		}
		if spec, _ := want["spec"].(map[string]any); spec["v"] == nil {
			delete(spec, "v")
		}
		if diff := cmp.Diff(want, objects[0].Object); diff != "" {
			t.Fatalf("%s(-kubectl +got)\n%s", text, diff)
		}
	})
}

// TestFormattingChangesNothing writes an object in two ways and expects the same object.
func TestFormattingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{
			"apiVersion": "example.org/v1",
			"kind":       "Thing",
			"metadata":   map[string]any{"name": "x"},
			"spec":       content(3).Draw(t, "spec"),
		}
		plain, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{string(plain)}
		for range 2 {
			var b bytes.Buffer
			encoder := yamlv3.NewEncoder(&b)
			encoder.SetIndent(rapid.IntRange(2, 8).Draw(t, "indent"))
			if err := encoder.Encode(styled(t, object)); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, b.String())
		}
		objects, warnings, err := manifest.Parse(texts)
		if err != nil || len(warnings) > 0 || len(objects) != len(texts) {
			t.Fatalf("%d objects, warnings %v, error %v of\n%s", len(objects), warnings, err, strings.Join(texts, "\n---\n"))
		}
		for i, o := range objects {
			if diff := cmp.Diff(object, o.Object); diff != "" {
				t.Fatalf("%s\n(-want +got)\n%s", texts[i], diff)
			}
			if got, want := manifest.Hash(o.Unstructured), manifest.Hash(objects[0].Unstructured); got != want {
				t.Fatalf("the hash is %s, was %s", got, want)
			}
		}
	})
}

// content generates JSON values without nulls.
func content(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Map(rapid.StringN(0, 12, -1).Filter(isPrintable), func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"y", "no", "1", "1.0", "null", "~", "- a", "a: b", "#a", "'", "\"", "<<", " ", "a\nb\n", "---\n", "x #y", "*a", "&a", "!a", "2026-11-22", "0x1"}), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SampledFrom([]float64{0.5, -1.25, 1e-7, 1e300}), func(f float64) any { return f }),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(content(depth-1), 0, 4), func(l []any) any { return append([]any{}, l...) }),
		rapid.Map(rapid.MapOfN(rapid.OneOf(rapid.StringMatching(`[a-z./-]{1,8}`), rapid.SampledFrom([]string{"y", "on", "1", "~", "a b", "a: b", "<<"})), content(depth-1), 0, 4),
			func(m map[string]any) any { return m }),
	)...)
}

// isPrintable keeps to what the YAML writer writes as the YAML reader reads it.
func isPrintable(s string) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

// styled returns a node that writes the value in some way.
func styled(t *rapid.T, v any) *yamlv3.Node {
	var n yamlv3.Node
	switch v := v.(type) {
	case map[string]any:
		n.Kind = yamlv3.MappingNode
		for _, key := range rapid.Permutation(slices.Sorted(maps.Keys(v))).Draw(t, "order") {
			n.Content = append(n.Content, styled(t, key), styled(t, v[key]))
		}
	case []any:
		n.Kind = yamlv3.SequenceNode
		for _, item := range v {
			n.Content = append(n.Content, styled(t, item))
		}
	case string:
		n.Kind, n.Tag, n.Value = yamlv3.ScalarNode, "!!str", v
		n.Style = rapid.SampledFrom([]yamlv3.Style{0, yamlv3.DoubleQuotedStyle, yamlv3.SingleQuotedStyle, yamlv3.TaggedStyle}).Draw(t, "style")
		if slices.Contains([]string{"y", "yes", "on", "n", "no", "off", "<<"}, v) || strings.Contains(v, "\n") {
			n.Style = yamlv3.DoubleQuotedStyle
		}
		return &n
	default:
		if err := n.Encode(v); err != nil {
			t.Fatal(err)
		}
		return &n
	}
	if rapid.Bool().Draw(t, "flow") {
		n.Style = yamlv3.FlowStyle
	}
	if rapid.Bool().Draw(t, "comment") && len(n.Content) > 0 {
		n.Content[0].HeadComment = "# a comment"
	}
	return &n
}

func TestHash(t *testing.T) {
	u := func(v any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"a": v}}
	}
	if got := manifest.Hash(u(int64(1))); len(got) != 16 || got != manifest.Hash(u(int64(1))) || got == manifest.Hash(u("1")) {
		t.Errorf("hash is %q", got)
	}
	if got := manifest.SaltedHash("salt", u(int64(1))); len(got) != 16 || got == manifest.SaltedHash("pepper", u(int64(1))) || got == manifest.Hash(u(int64(1))) {
		t.Errorf("salted hash is %q", got)
	}
	if manifest.Digest("ab", "c") == manifest.Digest("a", "bc") || manifest.Digest() == manifest.Digest("") {
		t.Error("digests do not tell where a text ends")
	}
}

// FuzzParse looks for texts that end the program or make objects that are none.
func FuzzParse(f *testing.F) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			f.Add(document)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, _, err := manifest.Parse([]string{text})
		if err != nil {
			for _, e := range unjoin(t, err) {
				if last := 1 + strings.Count(text, "\n"); e.Position.Line < 1 || e.Position.Line > last && !strings.ContainsAny(text, "\r\u0085\u2028\u2029") {
					t.Errorf("%v, in a text of %d lines", e.Error(), last)
				}
			}
			return
		}
		for _, o := range objects {
			if o.Key.Kind == "" || o.Key.Name == "" || o.GetAPIVersion() == "" || o.GetName() != o.Key.Name || o.GetNamespace() != o.Key.Namespace {
				t.Fatalf("%v is %v", o.Key, o.Object)
			}
			again, err := json.Marshal(o.Object)
			if err != nil {
				t.Fatal(err)
			}
			reread, warnings, err := manifest.Parse([]string{string(again)})
			if err != nil || len(warnings) > 0 || len(reread) != 1 {
				t.Fatalf("%s gives %v, warnings %v, error %v", again, reread, warnings, err)
			}
			if diff := cmp.Diff(o.Object, reread[0].Object); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func ExampleParse() {
	objects, _, err := manifest.Parse([]string{"{apiVersion: v1, kind: Namespace, metadata: {name: web}}"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(objects[0].Key)
	fmt.Println(objects[0].Position)
	fmt.Println(objects[0].Stage())
	// Output:
	// Namespace web
	// manifests[0], document 1, line 1
	// definitions
}
