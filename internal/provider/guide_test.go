package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// updateGuides has the guides' plan outputs written anew instead of compared; see make guides.
const updateGuides = "FLEET_UPDATE_GUIDES"

// guide is a workspace whose names are those that readers see.
type guide struct {
	*setup
	dir string
	ns  string
}

// newGuide makes the namespace on every cluster, also where an earlier run left it.
func newGuide(t *testing.T, dir, ns, set string) *guide {
	t.Helper()
	g := &guide{setup: newSetup(t, fleettest.Terraform(t)), dir: filepath.Join("..", "..", "examples", dir, "plans"), ns: ns}
	g.name = set
	for _, c := range fleettest.Clusters(t) {
		namespaces := c.Admin(t).CoreV1().Namespaces()
		gone := func() bool {
			err := namespaces.Delete(t.Context(), ns, metav1.DeleteOptions{})
			return apierrors.IsNotFound(err)
		}
		fleettest.Eventually(t, "the namespace "+ns+" of an earlier run is gone", gone)
		if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Kubectl(t, "", "delete", "namespace", ns, "--wait=false") })
	}
	g.fleet("")
	return g
}

func (g *guide) set(arguments string, manifests ...string) {
	g.setup.set(fmt.Sprintf("  namespace = %q\n%s", g.ns, arguments), manifests...)
}

var (
	timeOfDay = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`)
	overrides = regexp.MustCompile(`(?s)\nWarning: Provider development overrides are in effect.*?releases\.\n`)
	refreshes = regexp.MustCompile(`(?m)^fleet_\S+: (Refreshing state|Reading|Read complete).*\n`)
	hint      = regexp.MustCompile(`(?s)\n─+\n.*`)
	preamble  = regexp.MustCompile(`(?s)\n(Terraform|OpenTofu) used the selected providers.*?\n\n(Terraform|OpenTofu) (will perform the following actions|planned the following actions, but then encountered a problem):\n`)
	diagnosed = regexp.MustCompile(`(?ms)^(Warning|Error): .*`)
)

// file is where an output of the guide is kept.
func (g *guide) file(name string) string { return filepath.Join(g.dir, name+".txt") }

// show compares what Terraform printed with what the guide shows. How Terraform renders a plan differs from version to version, so
// only the messages are compared.
func (g *guide) show(name, output string) {
	g.t.Helper()
	text := output
	for _, cut := range []*regexp.Regexp{overrides, refreshes, hint, preamble} {
		text = cut.ReplaceAllString(text, "\n")
	}
	// The names of the test's files, as readers would have them.
	text = strings.NewReplacer("fleet_manifest.set", "fleet_manifest.web", `"fleet_manifest" "set"`, `"fleet_manifest" "web"`, "on set.tf line 1", "on main.tf line 20", "   1: resource", "  20: resource").Replace(text)
	text = strings.TrimSpace(timeOfDay.ReplaceAllString(text, "2026-11-22 07:40 UTC")) + "\n"
	file := g.file(name)
	if os.Getenv(updateGuides) != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // it is documentation
			g.t.Fatal(err)
		}
		return
	}
	want := fleettest.Flat(diagnosed.FindString(read(g.t, file)))
	if got := fleettest.Flat(diagnosed.FindString(text)); got != want {
		g.t.Errorf("%s is not what is printed any more; see make guides. Printed:\n%s", file, text)
	}
}

// TestAccGuide_ownership makes the plans of the guide "Conflicts, drift and adoption".
func TestAccGuide_ownership(t *testing.T) {
	g := newGuide(t, "ownership", "shop", "web")
	nowait := "  wait = { until = \"none\" }\n"
	web := deployment("web", 3)
	g.set(nowait, web, configMap("settings", "blue"))
	g.Apply()

	t.Log("drift")
	patch(t, "eu-2", deployments, "shop", "web", `{"spec":{"replicas":7}}`, "scale")
	g.show("drift", g.Plan())
	g.set(nowait+"  drift = \"report\"\n", web, configMap("settings", "blue"))
	g.Apply()
	g.show("drift-reported", g.PlanEmpty())
	g.set(nowait, web, configMap("settings", "blue"))
	g.Apply()

	t.Log("conflict")
	for _, c := range []string{"eu-1", "eu-2"} {
		apply(t, c, deployments, "shop", "web", "helm", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":9}}`)
	}
	g.show("conflict", g.PlanFails())
	yield := "  rules = [{ target = { kind = \"Deployment\" }, paths = [\"spec.replicas\"], conflicts = \"yield\" }]\n"
	g.set(nowait+yield, web, configMap("settings", "blue"))
	g.show("conflict-yielded", g.Plan())
	g.Apply()
	for _, c := range []string{"eu-1", "eu-2"} {
		disown(t, c, deployments, "shop", "web", "helm")
	}
	g.set(nowait+"  conflicts = \"force\"\n", web, configMap("settings", "blue"))
	g.Apply()

	t.Log("leaving fields alone")
	ignore := "  ignore_fields = [{ target = { kind = \"Deployment\" }, paths = [\"spec.replicas\"] }]\n"
	g.set(nowait+ignore, web, configMap("settings", "blue"))
	g.show("ignore", g.Plan())
	g.Apply()

	t.Log("adoption")
	us := fleettest.Get(t, "us-1")
	us.MustKubectl(t, strings.Replace(configMap("banner", "red"), "\ndata:\n", "\ndata:\n  old: x\n", 1), "apply", "-n", "shop", "-f", "-")
	g.set(nowait+ignore, web, configMap("settings", "blue"), configMap("banner", "green"))
	g.show("adoption-refused", g.PlanFails())
	g.set(nowait+ignore+"  existing = \"adopt\"\n", web, configMap("settings", "blue"), configMap("banner", "green"))
	g.show("adoption", g.Plan())
	g.Apply()

	t.Log("an immutable field")
	g.set(nowait+ignore, web, configMap("settings", "blue"), configMap("banner", "green"), job("migrate", "migrate:1"))
	g.Apply()
	g.set(nowait+ignore, web, configMap("settings", "blue"), configMap("banner", "green"), job("migrate", "migrate:2"))
	g.show("immutable", g.PlanFails())
	g.set(nowait+ignore+"  replace_immutable = true\n", web, configMap("settings", "blue"), configMap("banner", "green"), job("migrate", "migrate:2"))
	g.show("immutable-replaced", g.Plan())
	g.Apply()

	t.Log("much drift")
	var many []string
	for i := range 50 {
		many = append(many, configMap(fmt.Sprintf("flag-%02d", i), "on"))
	}
	g.set(nowait+ignore, append(many, web)...)
	g.Apply()
	for _, c := range fleettest.Clusters(t) {
		for i := range 50 {
			patch(t, c.Name, configmaps, "shop", fmt.Sprintf("flag-%02d", i), `{"data":{"k":"off"}}`)
		}
	}
	out := g.Plan()
	g.show("drift-50", diagnosed.FindString(overrides.ReplaceAllString(out, "\n")))
	g.Destroy()
}
