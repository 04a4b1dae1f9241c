package policy_test

import (
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

// TestCompile_errors says what is refused, and in which words.
func TestCompile_errors(t *testing.T) {
	reason := metav1.StatusReason("Teapot")
	variables := func(list ...admissionregistrationv1.Variable) specChange {
		return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) { s.Variables = list }
	}
	cases := map[string]struct {
		change specChange
		says   []string
	}{
		"no validations":         {func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) { s.Validations = nil }, []string{"validations is empty; a policy needs one at least"}},
		"no rules":               {func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) { s.MatchConstraints.ResourceRules = nil }, []string{"match.rules is empty"}},
		"an empty expression":    {validation(admissionregistrationv1.Validation{Expression: " "}), []string{"validations[0].expression: the expression is empty"}},
		"a syntax error":         {validation(admissionregistrationv1.Validation{Expression: "object.spec.size <== 5"}), []string{"validations[0].expression: 1:20: Syntax error", "^"}},
		"an unknown variable":    {validation(admissionregistrationv1.Validation{Expression: "\n  objekt.spec.size < 5"}), []string{"2:3: undeclared reference to 'objekt'"}},
		"an unknown field":       {validation(admissionregistrationv1.Validation{Expression: "request.usr == ''"}), []string{"1:8: undefined field 'usr'"}},
		"no bool":                {validation(admissionregistrationv1.Validation{Expression: "1 + 1"}), []string{"the expression yields int, want bool"}},
		"maybe a bool":           {validation(admissionregistrationv1.Validation{Expression: "object.spec.ok"}), []string{"the expression yields dyn, want bool; compare"}},
		"a message of no string": {validation(admissionregistrationv1.Validation{Expression: "true", MessageExpression: "1"}), []string{"validations[0].message_expression: must evaluate to string but got int"}},
		"a message with the authorizer": {validation(admissionregistrationv1.Validation{Expression: "true", MessageExpression: "authorizer.path('/').check('get').reason()"}),
			[]string{"validations[0].message_expression: 1:1: undeclared reference to 'authorizer'"}},
		"a reason of no meaning":    {validation(admissionregistrationv1.Validation{Expression: "true", Reason: &reason}), []string{`validations[0].reason: the reason "Teapot" is none of`}},
		"a name of no variable":     {variables(admissionregistrationv1.Variable{Name: "a-b", Expression: "1"}), []string{`variables[0].name: "a-b" is no CEL identifier`}},
		"a name twice":              {variables(admissionregistrationv1.Variable{Name: "a", Expression: "1"}, admissionregistrationv1.Variable{Name: "a", Expression: "2"}), []string{`variables[1].name: the variable "a" stands twice`}},
		"a variable used too early": {variables(admissionregistrationv1.Variable{Name: "a", Expression: "variables.b"}, admissionregistrationv1.Variable{Name: "b", Expression: "2"}), []string{"variables[0].expression: 1:10: undefined field 'b'"}},
		"a selector of no sense": {func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.ObjectSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "In"}}}
		}, []string{"match.object_selector", "values"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, errs := policy.Compile(widgets(c.change))
			if len(errs) != 1 {
				t.Fatalf("want one error, got %v", errs)
			}
			for _, text := range c.says {
				if !strings.Contains(errs[0].Error(), text) {
					t.Errorf("want %q in: %s", text, errs[0])
				}
			}
		})
	}
}

// TestParams_errors says what parameters cannot be.
func TestParams_errors(t *testing.T) {
	for text, says := range map[string]string{
		``: "params is not JSON", `{"a": }`: "params is not JSON", `[1]`: "want a JSON object", `{} {}`: "there is something after the value", `null`: "want a JSON object",
	} {
		if _, err := policy.Params(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: want %q, got %v", text, says, err)
		}
	}
}

// TestDefinition reads what it printed, and prints objects that the provider takes as a manifest.
func TestDefinition(t *testing.T) {
	want := widgets(nil)
	text, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "object.spec.size <= 5") {
		t.Errorf("the expression cannot be read in %s", text)
	}
	got, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	manifests, err := want.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	objects, warnings, err := manifest.Parse([]string{manifests})
	if err != nil || len(warnings) > 0 || len(objects) != 2 {
		t.Fatalf("%v %v %v", objects, warnings, err)
	}
	for _, text := range []string{"", "{}", `{"name": "a", "action": "shout"}`, `{"name": "a", "action": "deny", "spek": {}}`, "apiVersion: v1"} {
		if _, err := policy.Parse(text); err == nil || !strings.Contains(err.Error(), "no definition of a fleet_policy") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestOperations says which requests a policy is about, whatever the object.
func TestOperations(t *testing.T) {
	cases := map[string]struct {
		change         specChange
		create, update bool
	}{
		"both":    {nil, true, true},
		"one":     {operations(admissionregistrationv1.Update), false, true},
		"any":     {operations(admissionregistrationv1.OperationAll), true, true},
		"neither": {operations(admissionregistrationv1.Delete, admissionregistrationv1.Connect), false, false},
		"another version": {func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.ResourceRules[0].APIVersions = []string{"v2"}
		}, false, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := compile(t, widgets(c.change))
			create, update := p.Operations(schema.GroupVersionResource{Group: "example.org", Version: "v1", Resource: "widgets"})
			if create != c.create || update != c.update {
				t.Errorf("create %v, update %v", create, update)
			}
		})
	}
}
