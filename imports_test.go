package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fleetform/terraform-provider-fleet"

// below says which packages of this module each package may import. Arrows
// point down, and siblings meet in deploy. A new package is added here.
var below = map[string][]string{
	"":         {"provider", "watch", "progress"},
	"provider": {"deploy", "progress", "placement", "template", "override", "policy", "rollout", "ssa", "inventory", "health", "manifest", "cluster", "fleet"},
	"deploy":   {"ocm", "progress", "placement", "template", "override", "policy", "rollout", "ssa", "inventory", "health", "manifest", "cluster", "fleet"},
	"watch":    {"progress"},

	"ssa":       {"manifest", "cluster", "fleet"},
	"inventory": {"manifest", "cluster", "fleet"},
	"health":    {"celtext", "manifest", "cluster", "fleet"},

	"placement": {"celtext", "fleet"},
	"template":  {"fleet"},
	"override":  {"fleet"},
	"policy":    {"fleet"},
	"rollout":   {"fleet"},
	"manifest":  {"fleet"},
	"ocm":       {"fleet"},
	"cluster":   {"fleet"},
	"progress":  {},
	"celtext":   {},
	"fleet":     {},
}

// pure packages decide and do not act: they reach no cluster, not even
// through what they import.
var pure = []string{"fleet", "placement", "template", "override", "policy", "rollout", "manifest", "ocm", "celtext"}

type goPackage struct {
	ImportPath string
	Imports    []string // by its non-test files
	Deps       []string // its imports, theirs, and so on
}

func TestImports(t *testing.T) {
	for _, pkg := range listPackages(t) {
		name := shortName(pkg.ImportPath)
		if name == "fleettest" || name == "ocmtest" || name == "golden" {
			continue // for tests, which may import them and whatever they need
		}
		allowed, known := below[name]
		if !known {
			t.Errorf("%s is not in the table of this test: say what it may import", pkg.ImportPath)
			continue
		}
		for _, path := range pkg.Imports {
			if strings.HasPrefix(path, module) && !slices.Contains(allowed, shortName(path)) {
				t.Errorf("%s may not import %s", pkg.ImportPath, path)
			}
			if strings.HasPrefix(path, "github.com/hashicorp/terraform-plugin-") && name != "" && name != "provider" {
				t.Errorf("%s imports %s: only internal/provider speaks Terraform's protocol", pkg.ImportPath, path)
			}
			if slices.Contains(pure, name) && (path == "net" || path == "net/http") {
				t.Errorf("%s imports %s: it is pure and speaks to nobody", pkg.ImportPath, path)
			}
		}
		reaches := slices.IndexFunc(pkg.Deps, func(path string) bool { return strings.HasPrefix(path, "k8s.io/client-go/") })
		if slices.Contains(pure, name) && reaches >= 0 {
			t.Errorf("%s depends on %s: it is pure and reaches no cluster", pkg.ImportPath, pkg.Deps[reaches])
		}
	}
}

// shortName turns an import path of this module into a name of the table.
func shortName(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(path, module), "/"), "internal/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %v\n%s", err, failed.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg goPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("reading go list's output: %v", err)
		}
		packages = append(packages, pkg)
	}
}
