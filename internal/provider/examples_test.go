package provider_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/ocmtest"
)

// TestAccExamples plans every example, and applies those that the guides tell of.
func TestAccExamples(t *testing.T) {
	fleettest.Require(t)
	root := filepath.Join("..", "..", "examples")
	var dirs []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".tf") && (len(dirs) == 0 || dirs[len(dirs)-1] != filepath.Dir(path)) {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	if err != nil || len(dirs) < 4 {
		t.Fatalf("found %v: %v", dirs, err)
	}
	hub := ocmtest.NewHub(t, fleettest.Get(t, "eu-1"))
	for _, dir := range dirs {
		t.Run(filepath.ToSlash(dir[len(root)+1:]), func(t *testing.T) {
			w := fleettest.NewWorkspace(t, fleettest.Terraform(t))
			if err := os.CopyFS(w.Dir, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			// Examples that stand alone name the provider themselves.
			for _, file := range glob(t, w.Dir, "*.tf") {
				if filepath.Base(file) != "versions.tf" && strings.Contains(read(t, file), "required_providers") {
					w.Write("versions.tf", "")
				}
			}
			// The hubs of examples are contexts like any other.
			files := []string{fleettest.Kubeconfig(t)}
			for _, name := range []string{"hub", "management"} {
				w.Write(name+".kubeconfig", fleettest.KubeconfigText(name, hub.Host, hub.CA(t), map[string]string{"client-certificate-data": hub.ClientCert(t), "client-key-data": hub.ClientKey(t)}))
				files = append(files, w.Path(name+".kubeconfig"))
			}
			w.Env = append(w.Env, "KUBECONFIG="+strings.Join(files, string(filepath.ListSeparator)), "TF_VAR_kubeconfig="+fleettest.Kubeconfig(t), "TF_VAR_soak=2s")
			if out := w.Plan(); strings.Contains(dir, "resources") || filepath.Base(dir) == "quickstart" {
				contains(t, out, "to add")
			}
			if slices.Contains([]string{"quickstart", "ownership", "policy", "health", "rollouts"}, filepath.Base(dir)) {
				w.Apply()
				w.PlanEmpty()
				w.Destroy()
			}
		})
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
