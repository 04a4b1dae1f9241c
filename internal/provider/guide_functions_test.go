package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// TestGuideFunctions keeps the guide's table of template functions what the functions say of themselves.
func TestGuideFunctions(t *testing.T) {
	width := 0
	for _, f := range template.Functions() {
		width = max(width, len(f.Usage))
	}
	var b strings.Builder
	for _, f := range template.Functions() {
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.Usage, f.Description)
	}
	file := filepath.Join("..", "..", "examples", "edge", "functions.txt")
	if os.Getenv(updateGuides) != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil { //nolint:gosec // it is documentation
			t.Fatal(err)
		}
	}
	if b.String() != read(t, file) {
		t.Errorf("%s is not what template.Functions says; write it anew with %s=1 go test -run TestGuideFunctions ./internal/provider", file, updateGuides)
	}
}
