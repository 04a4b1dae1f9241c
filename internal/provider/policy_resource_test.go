package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var (
	admissionPolicies = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	admissionBindings = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
)

// replicaPolicy bounds replicas in one namespace, as other tests share the clusters.
func replicaPolicy(name, namespace, arguments string, bound int) string {
	if !strings.Contains(arguments, "clusters") {
		arguments += "\n  clusters = fleet_cluster.this"
	}
	return fmt.Sprintf(`
resource "fleet_policy" "replicas" {
  name  = %q
  match = {
    rules              = [{ groups = ["apps"], resources = ["deployments"] }]
    namespace_selector = { match_labels = { "kubernetes.io/metadata.name" = %q } }
  }
  params    = jsonencode({ max = %d, why = "a <small> cluster" })
  variables = [{ name = "replicas", expression = "object.spec.replicas" }]
  validations = [{
    expression         = "variables.replicas <= variables.params.max"
    message_expression = "'at most ' + string(variables.params.max) + ' replicas, not ' + string(variables.replicas) + ': ' + variables.params.why"
    reason             = "Forbidden"
  }]
%s
}
`, name, namespace, bound, arguments)
}

// TestAccPolicy_life carries a policy to the fleet, which then holds everybody to it, and judges a set by it at plan.
func TestAccPolicy_life(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		s.fleet("")
		s.Write("policy.tf", replicaPolicy(s.name, ns, "", 2))
		judged := fmt.Sprintf("namespace = %q\npolicies = [fleet_policy.replicas.definition]", ns)

		t.Log("before policy and clusters are registered, the plan knows")
		s.set(judged, deployment("web", 3))
		said := `Deployment.apps ` + ns + `/web: denied by policy "` + s.name + `": at most 2 replicas, not 3: a <small> cluster`
		contains(t, s.PlanFails(), "The set cannot be applied to 3 clusters", "eu-1, eu-2, us-1 "+said)

		s.set(judged, deployment("web", 2))
		contains(t, s.Plan(), "create 2 objects on eu-1, eu-2, us-1")
		s.Apply()
		s.PlanEmpty()
		before := uids(t, admissionPolicies, "", s.name)
		if len(before) != 3 || len(uids(t, admissionBindings, "", s.name)) != 3 {
			t.Fatalf("policy on %v, binding on %v", before, uids(t, admissionBindings, "", s.name))
		}

		t.Log("the clusters themselves hold to it")
		s.set(fmt.Sprintf("namespace = %q", ns), deployment("web", 3))
		s.planSays("eu-1, eu-2, us-1 Deployment.apps "+ns+"/web", "ValidatingAdmissionPolicy '"+s.name+"' with binding '"+s.name+"' denied request: at most 2 replicas, not 3: a <small> cluster")

		t.Log("drift of the policy, and what it says")
		patch(t, "eu-2", admissionPolicies, "", s.name, `{"spec":{"failurePolicy":"Ignore"}}`)
		s.set(judged, deployment("web", 2))
		contains(t, s.Plan(), "Drift on 1 of 3 clusters", `spec.failurePolicy is "Ignore", should be "Fail" by kubectl`)
		s.Apply()
		s.PlanEmpty()

		t.Log("stricter parameters: the set that breaks them is found in the same plan, though nothing in it changes")
		s.Write("policy.tf", replicaPolicy(s.name, ns, "", 1))
		contains(t, s.PlanFails(), "at most 1 replicas, not 2")
		s.Write("policy.tf", replicaPolicy(s.name, ns, `action = "warn"`, 1))
		contains(t, s.Plan(), "Before you apply", `warning of policy "`+s.name+`": at most 1 replicas, not 2`, "spec.variables")
		s.Write("policy.tf", replicaPolicy(s.name, ns, `action = "audit"`, 1))
		if out := s.Plan(); strings.Contains(out, "at most 1") {
			t.Errorf("an audited policy speaks:\n%s", out)
		}

		t.Log("a policy for some clusters judges there only")
		s.Write("policy.tf", replicaPolicy(s.name, ns, `clusters = { for k, c in fleet_cluster.this : k => c if k != "us-1" }`, 1))
		contains(t, s.PlanFails(), "eu-1, eu-2 Deployment.apps "+ns+"/web", "on us-1")
		s.set(judged, deployment("web", 1))
		s.Apply()
		s.PlanEmpty()
		after := uids(t, admissionPolicies, "", s.name)
		delete(before, "us-1")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("policies after us-1 left: %s", diff)
		}
		s.Destroy()
		if left := uids(t, admissionPolicies, "", s.name); len(left) > 0 {
			t.Errorf("left behind on %v", left)
		}
	})
}

// planSays plans until the output has all of the sentences: API servers take a moment to heed a policy.
func (s *setup) planSays(sentences ...string) {
	s.t.Helper()
	fleettest.Eventually(s.t, strings.Join(sentences, ", "), func() bool {
		result := s.Run("plan", "-no-color", "-input=false")
		flat := fleettest.Flat(result.Output)
		return !slices.ContainsFunc(sentences, func(sentence string) bool { return !strings.Contains(flat, sentence) })
	})
}

// TestAccPolicy_unreachable judges for a cluster that does not answer, by what would be sent there.
func TestAccPolicy_unreachable(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet(`unreachable = "defer"`)
	s.Write("policy.tf", replicaPolicy(s.name, ns, "", 2))
	judged := fmt.Sprintf("namespace = %q\npolicies = [fleet_policy.replicas.definition]", ns)
	s.set(judged, deployment("web", 1))
	s.Apply()
	p.Refuse()
	s.set(judged, deployment("web", 3))
	contains(t, s.PlanFails(), "us-1 Deployment.apps "+ns+"/web: denied by policy", "at most 2 replicas, not 3")

	t.Log("what only an API server would add cannot be judged there, which is no reason to refuse")
	s.set(judged, strings.Replace(deployment("web", 2), "  replicas: 2\n", "", 1))
	contains(t, s.Plan(), `us-1 Deployment.apps `+ns+`/web: policy "`+s.name+`" cannot judge it before the API server has completed it`, "no such key: replicas")

	t.Log("a stricter policy is owed to the cluster until it is back")
	s.set(judged, deployment("web", 1))
	s.Write("policy.tf", replicaPolicy(s.name, ns, "", 1))
	s.Apply()
	s.PlanEmpty()
	if got := dig(s.Resource("fleet_policy.replicas"), "status", "us-1", "phase"); got != "Deferred" {
		t.Errorf("us-1 is %v", got)
	}
	p.Listen(t)
	contains(t, s.Plan(), "update ValidatingAdmissionPolicy.admissionregistration.k8s.io "+s.name+" on us-1")
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccPolicy_input refuses what is wrong before anything is asked or done.
func TestAccPolicy_input(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.fleet("")
	sound := replicaPolicy(s.name, "x", "", 2)
	for name, c := range map[string]struct{ from, to, says string }{
		"an expression that does not compile": {`"variables.replicas <= variables.params.max"`, `"variables.replicsa <= variables.params.max"`, "1:10: undefined field 'replicsa'"},
		"no bool":                             {`"variables.replicas <= variables.params.max"`, `"variables.params.max"`, "the expression yields dyn, want bool"},
		"no validations":                      {sound[strings.Index(sound, "  validations"):strings.Index(sound, "  clusters")], "  validations = []\n", "list must contain at least 1 elements"},
		"a field that does not exist":         {"    expression  ", "    expresion  ", `attribute "expression" is required`},
		"a name of no DNS label":              {fmt.Sprintf("%q", s.name), `"No_Label"`, "must be a DNS label of at most 43 characters"},
		"an operation that does not exist":    {`resources = ["deployments"]`, `resources = ["deployments"], operations = ["PATCH"]`, `value must be one of`},
		"parameters that are none":            {`jsonencode({ max = 2, why = "a <small> cluster" })`, `"max=2"`, "Params is not JSON"},
		"a variable called params":            {`name = "replicas", `, `name = "params", `, `the variable "params" stands twice`},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(sound, c.from, c.to, 1)
			if broken == sound {
				t.Fatal("the case changes nothing")
			}
			s.Write("policy.tf", broken)
			contains(t, s.MustFail("validate", "-no-color"), c.says)
		})
	}
	s.Write("policy.tf", "")
	s.set(`policies = ["deny all"]`, configMap("conf", "v"))
	contains(t, s.MustFail("validate", "-no-color"), "Not a policy", "The text is no definition of a fleet_policy")
}
