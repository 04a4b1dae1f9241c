package manifest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/golden"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// TestGolden parses each text of testdata and compares what comes out with the .golden file beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		file := strings.TrimSuffix(input, ".yaml") + ".golden"
		t.Run(filepath.Base(input), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(t, string(text))
			golden.Check(t, file, got)
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
