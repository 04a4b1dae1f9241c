package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

const imageOf = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[{"name":"web","image":%q}]}}}}`

func replicas(t *testing.T, cluster, ns, name string) any {
	t.Helper()
	return value(t, cluster, deployments, ns, name, "spec", "replicas")
}

// disown removes a field manager's entry, which leaves every value as it is.
func disown(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name, manager string) {
	t.Helper()
	var kept []metav1.ManagedFieldsEntry
	for _, e := range live(t, cluster, r, ns, name).GetManagedFields() {
		if e.Manager != manager {
			kept = append(kept, e)
		}
	}
	entries, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).Patch(t.Context(), name, types.JSONPatchType,
		fmt.Appendf(nil, `[{"op":"replace","path":"/metadata/managedFields","value":%s}]`, entries), metav1.PatchOptions{FieldManager: "kubectl"})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccManifest_conflictPolicies has helm apply a field of the set's and somebody scale by hand, both on one object, and then
// lets each policy decide.
func TestAccManifest_conflictPolicies(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	set := func(policy string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n%s", ns, policy), deployment("web", 3))
	}
	set("")
	s.Apply()
	for _, c := range []string{"eu-1", "eu-2"} {
		apply(t, c, deployments, ns, "web", "helm", fmt.Sprintf(imageOf, "nginx:9"))
		patch(t, c, deployments, ns, "web", `{"spec":{"replicas":7}}`, "scale")
	}
	out := s.PlanFails()
	contains(t, out, "Another manager owns fields this set wants to change", "eu-1, eu-2 Deployment.apps "+ns+"/web",
		`spec.template.spec.containers[name=web].image is "nginx:9" by helm (Apply), wanted "nginx:1.27"`, "Nothing was changed. Either",
		`- leave what it owns to helm: rules = [{ paths = ["spec.template.spec.containers[name=web].image"], conflicts = "yield" }]`)
	if strings.Contains(out, "spec.replicas is 7 by kubectl") && strings.Contains(fleettest.Flat(out), "spec.replicas is 7 by kubectl (Update, scale), wanted") {
		t.Errorf("drift is taken for a conflict:\n%s", out)
	}

	t.Log("by cluster and path: one is left to helm, one is taken; the drift is corrected on both")
	set(`rules = [
    { clusters = { names = ["eu-1"] }, paths = ["spec.template.spec.containers[*].image"], conflicts = "yield" },
    { target = { kind = "Deployment" }, conflicts = "force" },
  ]`)
	out = s.Plan()
	contains(t, out, "Drift on 2 of 3 clusters", "eu-1, eu-2 Deployment.apps "+ns+"/web", "spec.replicas is 7, should be 3 by kubectl (Update, scale)",
		"update Deployment.apps "+ns+"/web on eu-1: spec.replicas 7 → 3; leaves spec.template.spec.containers[name=web].image to helm (Apply)",
		"takes spec.template.spec.containers[name=web].image from helm (Apply)")
	s.Apply()
	s.PlanEmpty()
	image := []string{"spec", "template", "spec", "containers"}
	if got := fmt.Sprint(value(t, "eu-1", deployments, ns, "web", image...)); !strings.Contains(got, "nginx:9") {
		t.Errorf("eu-1 did not yield: %v", got)
	}
	if got := fmt.Sprint(value(t, "eu-2", deployments, ns, "web", image...)); !strings.Contains(got, "nginx:1.27") {
		t.Errorf("eu-2 was not taken: %v", got)
	}
	if replicas(t, "eu-1", ns, "web") != int64(3) || replicas(t, "eu-2", ns, "web") != int64(3) {
		t.Error("the drift was not corrected")
	}
	if got := fmt.Sprint(dig(s.manifest(), "conflicting_fields", "eu-1")); !strings.Contains(got, `"spec.template.spec.containers[name=web].image":"helm (Apply)"`) {
		t.Errorf("conflicting_fields of eu-1: %v", got)
	}
	if got := dig(s.manifest(), "conflicting_fields", "eu-2"); got != nil {
		t.Errorf("conflicting_fields of eu-2: %v", got)
	}

	t.Log("an equal value is left to the other as well, so that its next apply does not meet ours")
	apply(t, "eu-1", deployments, ns, "web", "helm", fmt.Sprintf(imageOf, "nginx:1.27"))
	s.PlanEmpty()
	if obj := live(t, "eu-1", deployments, ns, "web"); owns(t, obj, "fleet:"+s.name, "f:image") {
		t.Error("the set is a silent owner of the image")
	}

	t.Log("helm gives it up, and the set takes it back")
	disown(t, "eu-1", deployments, ns, "web", "helm")
	contains(t, s.Plan(), "correct Deployment.apps "+ns+"/web on eu-1: spec.template.spec.containers[name=web].image (none) → nginx:1.27; the manager that a field was left to has given it up")
	s.Apply()
	s.PlanEmpty()
	if obj := live(t, "eu-1", deployments, ns, "web"); !owns(t, obj, "fleet:"+s.name, "f:image") {
		t.Error("the set did not take the image back")
	}
	s.Destroy()
}

// TestAccManifest_ignoreFields begins and ends to ignore fields. No value may change by that.
func TestAccManifest_ignoreFields(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(policy string, manifests ...string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n%s", ns, policy), manifests...)
	}
	set("", deployment("web", 5))
	s.Apply()
	generation := value(t, "eu-1", deployments, ns, "web", "metadata", "generation")

	t.Log("replicas and the image, of which the set is the only owner")
	ignore := `ignore_fields = [{ target = { kind = "Deployment" }, paths = ["spec.replicas", "spec.template.spec.containers[name=w*].image"] }]`
	set(ignore, deployment("web", 5))
	contains(t, s.Plan(), "update Deployment.apps "+ns+"/web on eu-1: gives up spec.replicas, spec.template.spec.containers[name=web].image, which keeps its value")
	s.Apply()
	s.PlanEmpty()
	if now := value(t, "eu-1", deployments, ns, "web", "metadata", "generation"); now != generation {
		t.Errorf("ignoring fields changed the Deployment: generation %v, before %v", now, generation)
	}
	obj := live(t, "eu-1", deployments, ns, "web")
	if owns(t, obj, "fleet:"+s.name, "f:replicas") || owns(t, obj, "fleet:"+s.name, "f:image") || !owns(t, obj, "fleet:"+s.name, "f:cpu") {
		t.Errorf("what the set owns now: %v", obj.GetManagedFields())
	}
	if s.field("eu-1", "Deployment.apps "+ns+"/web", "spec.replicas") != nil {
		t.Error("an ignored field is in objects")
	}

	t.Log("what is ignored may change, here and in the manifest")
	patch(t, "eu-1", deployments, ns, "web", `{"spec":{"replicas":8}}`, "scale")
	s.PlanEmpty()
	set(ignore, deployment("web", 1))
	s.Apply()
	s.PlanEmpty()
	if got := replicas(t, "eu-1", ns, "web"); got != int64(8) {
		t.Errorf("replicas are %v", got)
	}

	t.Log("no longer ignored, it is taken back")
	set(`conflicts = "force"`, deployment("web", 1))
	contains(t, s.Plan(), "update Deployment.apps "+ns+"/web on eu-1", "spec.replicas")
	s.Apply()
	s.PlanEmpty()
	if got := replicas(t, "eu-1", ns, "web"); got != int64(1) {
		t.Errorf("replicas are %v", got)
	}

	t.Log("a field that leaves the manifest in the same change keeps its value, too")
	set(ignore, strings.Replace(deployment("web", 1), "  replicas: 1\n", "", 1))
	patch(t, "eu-1", deployments, ns, "web", `{"spec":{"replicas":4}}`)
	s.Apply()
	s.PlanEmpty()
	if got := replicas(t, "eu-1", ns, "web"); got != int64(4) {
		t.Errorf("replicas are %v", got)
	}
	s.Destroy()
}

// TestAccManifest_driftReport only watches.
func TestAccManifest_driftReport(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(policy string, manifests ...string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n%s", ns, policy), manifests...)
	}
	report := `rules = [{ paths = ["spec.replicas"], drift = "report" }]`
	set(report, deployment("web", 3))
	s.Apply()
	s.PlanEmpty()
	patch(t, "eu-1", deployments, ns, "web", `{"spec":{"replicas":7}}`, "scale")
	for range 2 {
		contains(t, s.PlanEmpty(), "Drift on 1 of 1 cluster, only reported", "spec.replicas is 7, should be 3 by kubectl (Update, scale)", "Nothing is changed")
	}

	t.Log("another field changes, by hand and in the manifest; the reported one stays, and stays reported")
	patch(t, "eu-1", deployments, ns, "web", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:6","resources":{"requests":{"cpu":"500m"}}}]}}}}`)
	set(report, deployment("web", 3), configMap("conf", "v"))
	contains(t, s.Apply(), `spec.template.spec.containers[name=web].image is "nginx:6", should be "nginx:1.27"`, "only reported")
	contains(t, s.PlanEmpty(), "spec.replicas is 7, should be 3")
	if got := replicas(t, "eu-1", ns, "web"); got != int64(7) {
		t.Errorf("replicas are %v", got)
	}

	t.Log("and once it is to be corrected, it is")
	set("", deployment("web", 3), configMap("conf", "v"))
	contains(t, s.Plan(), "correct Deployment.apps "+ns+"/web on eu-1: spec.replicas 7 → 3")
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_driftKinds finds each way in which somebody can change what is the set's, and says who it was.
func TestAccManifest_driftKinds(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	pdb := "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: %s}\nspec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n"
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: list}\nrules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]\n"
	s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns), configMap("removed", "v"), configMap("label", "v"), configMap("uid", "v"), configMap("self", "v"),
		role, fmt.Sprintf(pdb, "other"))
	s.Apply()
	s.PlanEmpty()
	before := uids(t, configmaps, ns, "label")

	patch(t, "eu-1", configmaps, ns, "removed", `{"data":{"k":null}}`)
	patch(t, "eu-1", configmaps, ns, "label", `{"metadata":{"labels":{"applyset.kubernetes.io/part-of":null}}}`)
	remove(t, "eu-1", configmaps, ns, "uid")
	put(t, "eu-1", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"uid"},"data":{"k":"v"}}`)
	apply(t, "eu-1", configmaps, ns, "self", "fleet:"+s.name, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"self","labels":{"applyset.kubernetes.io/part-of":`+
		fmt.Sprintf("%q", live(t, "eu-1", configmaps, ns, "self").GetLabels()["applyset.kubernetes.io/part-of"])+`}},"data":{"k":"elsewhere"}}`)
	roles := deployments
	roles.Group, roles.Resource = "rbac.authorization.k8s.io", "roles"
	patch(t, "eu-1", roles, ns, "list", `{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]},{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`)

	out := s.Plan()
	contains(t, out,
		`ConfigMap `+ns+`/removed`, `data.k is not set, should be "v" (nobody owns it now)`,
		`correct ConfigMap `+ns+`/label on eu-1: the label that says it belongs to the set is gone`,
		`adopt ConfigMap `+ns+`/uid on eu-1`,
		`data.k is "elsewhere", should be "v" by fleet:`+s.name+` (Apply, in this set's name, by somebody else)`,
		`correct Role.rbac.authorization.k8s.io `+ns+`/list on eu-1: rules`, "by kubectl (Update)")
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "label"); got["eu-1"] != before["eu-1"] || live(t, "eu-1", configmaps, ns, "label").GetLabels()["applyset.kubernetes.io/part-of"] == "" {
		t.Error("the label is not back, or the object was recreated")
	}
	for _, name := range []string{"removed", "self"} {
		if got := value(t, "eu-1", configmaps, ns, name, "data", "k"); got != "v" {
			t.Errorf("%s has %v", name, got)
		}
	}

	t.Log("deleted and created anew from a dump, label and all")
	dump := live(t, "eu-1", configmaps, ns, "self")
	remove(t, "eu-1", configmaps, ns, "self")
	dump.SetUID("")
	dump.SetResourceVersion("")
	dump.SetManagedFields(nil)
	text, err := dump.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	put(t, "eu-1", configmaps, ns, string(text))
	contains(t, s.Plan(), "correct ConfigMap "+ns+"/self on eu-1: somebody deleted it and created it anew")
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
	if live(t, "eu-1", configmaps, ns, "uid") == nil {
		t.Error("an object that somebody else created was deleted")
	}
}

// TestAccManifest_muchDrift keeps the message readable.
func TestAccManifest_muchDrift(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	var manifests []string
	big := configMap("big", "v")
	for i := range 60 {
		big += fmt.Sprintf("  f%02d: x\n", i)
	}
	for i := range 50 {
		manifests = append(manifests, configMap(fmt.Sprintf("c%02d", i), "v"))
	}
	s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns), strings.Join(append(manifests, big), "---\n"))
	s.Apply()
	for _, c := range fleettest.Clusters(t) {
		for i := range 50 {
			patch(t, c.Name, configmaps, ns, fmt.Sprintf("c%02d", i), `{"data":{"k":"changed"}}`)
		}
	}
	var fields []string
	for i := range 60 {
		fields = append(fields, fmt.Sprintf(`"f%02d":"y"`, i))
	}
	patch(t, "us-1", configmaps, ns, "big", `{"data":{`+strings.Join(fields, ",")+`}}`)
	out := s.Plan()
	_, warning, _ := strings.Cut(out, "Warning: Drift on 3 of 3 clusters")
	warning, _, _ = strings.Cut(warning, "Applying corrects it.")
	contains(t, warning, "eu-1, eu-2, us-1 ConfigMap "+ns+"/c00, ConfigMap "+ns+"/c01, ConfigMap "+ns+"/c02 and 47 more objects like it", "... and 52 more fields")
	if n := strings.Count(warning, "\n"); n > 30 {
		t.Errorf("the warning has %d lines:\n%s", n, warning)
	}
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}
