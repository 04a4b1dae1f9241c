package manifest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// TestGolden parses each text of testdata and compares what comes out with the .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		golden := strings.TrimSuffix(input, ".yaml") + ".golden"
		t.Run(filepath.Base(input), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(t, string(text))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// describe prints what Parse makes of the texts.
func describe(t *testing.T, texts ...string) string {
	t.Helper()
	var b strings.Builder
	objects, warnings, err := manifest.Parse(texts)
	for _, o := range objects {
		fmt.Fprintf(&b, "%s: %s (%s)\n", o.Position, o.Key, o.Stage())
		var content bytes.Buffer
		encoder := json.NewEncoder(&content)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(o.Object); err != nil {
			t.Fatal(err)
		}
		b.Write(content.Bytes())
	}
	for _, w := range warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	if err == nil {
		err = manifest.CheckDuplicates(objects, "default")
	}
	if err != nil {
		for line := range strings.Lines(err.Error() + "\n") {
			b.WriteString("error: " + line)
		}
	}
	return b.String()
}
