package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

// widgets is a policy about Widgets that the tests change in one respect each.
func widgets(change func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec)) policy.Definition {
	spec := admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{
			about("example.org", "widgets", admissionregistrationv1.Create, admissionregistrationv1.Update),
		}},
		Validations: []admissionregistrationv1.Validation{{Expression: "object.spec.size <= 5"}},
	}
	if change != nil {
		change(&spec)
	}
	return policy.Definition{Name: "small", Action: policy.ActionDeny, Clusters: []string{"eu-1"}, Spec: spec}
}

func about(group, resource string, operations ...admissionregistrationv1.OperationType) admissionregistrationv1.NamedRuleWithOperations {
	return admissionregistrationv1.NamedRuleWithOperations{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
		Operations: operations,
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{group}, APIVersions: []string{"*"}, Resources: []string{resource}},
	}}
}

// request is one for a Widget in the namespace shop.
func request(t *testing.T, object, old string) policy.Request {
	t.Helper()
	parse := func(text string) *unstructured.Unstructured {
		out := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &out.Object); err != nil {
			t.Fatal(err)
		}
		out.SetAPIVersion("example.org/v1")
		out.SetKind("Widget")
		out.SetNamespace("shop")
		out.SetName("one")
		return out
	}
	r := policy.Request{
		Key:      fleet.ObjectKey{Group: "example.org", Kind: "Widget", Namespace: "shop", Name: "one"},
		Kind:     schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Widget"},
		Resource: schema.GroupVersionResource{Group: "example.org", Version: "v1", Resource: "widgets"},
		Object:   parse(object),
	}
	if old != "" {
		r.Old = parse(old)
	}
	return r
}

const small, big = "spec: {size: 3}", "spec: {size: 7}"

func compile(t *testing.T, d policy.Definition) *policy.Policy {
	t.Helper()
	p, errs := policy.Compile(d)
	for _, err := range errs {
		t.Fatal(err)
	}
	return p
}

type specChange = func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec)

func validation(v admissionregistrationv1.Validation) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		s.Validations = []admissionregistrationv1.Validation{v}
	}
}

// TestJudge says what becomes of a Widget, policy by policy.
func TestJudge(t *testing.T) {
	ignore := admissionregistrationv1.Ignore
	params, err := policy.Params(`{"max": 5, "names": ["a", 1, null], "nested": {"yes": true, "text": "\"<é>"}}`)
	if err != nil {
		t.Fatal(err)
	}
	inNamespaces := func(labels map[string]string) specChange {
		return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{MatchLabels: labels}
		}
	}
	cases := map[string]struct {
		change      specChange
		object, old string
		adapt       func(r *policy.Request)
		want        policy.Verdict
	}{
		"what holds passes":                         {object: small},
		"without a message, the expression is said": {object: big, want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}}},
		"the message":                               {change: validation(admissionregistrationv1.Validation{Expression: "false", Message: " too big "}), object: big, want: policy.Verdict{Violations: []string{"too big"}}},
		"the message expression comes before the message": {change: validation(admissionregistrationv1.Validation{Expression: "false", Message: "no", MessageExpression: "'size ' + string(object.spec.size)"}), object: big,
			want: policy.Verdict{Violations: []string{"size 7"}}},
		"a message expression that fails falls back": {change: validation(admissionregistrationv1.Validation{Expression: "false", Message: "no", MessageExpression: "string(object.spec.none)"}), object: big,
			want: policy.Verdict{Violations: []string{"no"}}},
		"a message of several lines falls back": {change: validation(admissionregistrationv1.Validation{Expression: "false", Message: "no", MessageExpression: "'a\\nb'"}), object: big, want: policy.Verdict{Violations: []string{"no"}}},
		"hidden values are not computed with": {change: validation(admissionregistrationv1.Validation{Expression: "false", Message: "no", MessageExpression: "string(object.spec.size)"}), object: big,
			adapt: func(r *policy.Request) { r.Hidden = true }, want: policy.Verdict{Violations: []string{"no"}}},
		"a missing field is an error":           {object: "spec: {}", want: policy.Verdict{Errors: []string{"expression 'object.spec.size <= 5' resulted in error: no such key: size"}}},
		"which a failure policy can ignore":     {change: func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) { s.FailurePolicy = &ignore }, object: "spec: {}"},
		"an error of hidden values is not told": {object: "spec: {}", adapt: func(r *policy.Request) { r.Hidden = true }, want: policy.Verdict{Errors: []string{"an expression cannot be evaluated; the reason might repeat what is hidden"}}},
		"a create has no old object":            {change: validation(admissionregistrationv1.Validation{Expression: "oldObject == null && request.operation == 'CREATE'"}), object: small},
		"an update has":                         {change: validation(admissionregistrationv1.Validation{Expression: "oldObject.spec.size == 3 && request.operation == 'UPDATE'"}), object: big, old: small},
		"the request":                           {change: validation(admissionregistrationv1.Validation{Expression: "request.namespace == 'shop' && request.name == 'one' && request.resource.resource == 'widgets' && request.kind.kind == 'Widget'"}), object: small},
		"parameters keep their types":           {change: validated(params, `variables.params.max == 5 && variables.params.names[1] == 1 && variables.params.names[2] == null && variables.params.nested.yes && variables.params.nested.text == '"<é>'`), object: small},
		"other operations are not matched":      {change: operations(admissionregistrationv1.Delete), object: big},
		"nor are other groups and resources": {change: func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.ResourceRules = []admissionregistrationv1.NamedRuleWithOperations{about("apps", "*", "*")}
		}, object: big},
		"an excluded name":                       {change: excluded("one"), object: big},
		"another name":                           {change: excluded("two"), object: big, want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}}},
		"another namespace, known by its name":   {change: inNamespaces(map[string]string{"kubernetes.io/metadata.name": "other", "tier": "gold"}), object: big},
		"a namespace whose labels are not known": {change: inNamespaces(map[string]string{"tier": "gold"}), object: big, want: policy.Verdict{Unknown: "the labels of the namespace"}},
		"a namespace whose labels are known":     {change: inNamespaces(map[string]string{"tier": "gold"}), object: big, adapt: inGold, want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}}},
		"the label that the object had counts, too": {change: labelled("judge"), object: big, old: "{spec: {size: 7}, metadata: {labels: {judge: \"\"}}}",
			want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}}},
		"without the label":              {change: labelled("judge"), object: big},
		"a condition that does not hold": {change: condition("object.spec.size > 10"), object: big},
		"a condition that holds":         {change: condition("object.spec.size > 6"), object: big, want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}}},
		"a condition that fails":         {change: condition("object.spec.none"), object: big, want: policy.Verdict{Errors: []string{"expression 'object.spec.none == true' resulted in error: no such key: none"}}},
		"who asks is not known":          {change: validation(admissionregistrationv1.Validation{Expression: "request.userInfo.username != 'me'"}), object: big, want: policy.Verdict{Unknown: "who asks the API server"}},
		"nor is what they may, through a variable": {change: func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
			s.Variables = []admissionregistrationv1.Variable{{Name: "may", Expression: "authorizer.group('').resource('pods').check('get').allowed()"}, {Name: "indeed", Expression: "variables.may"}}
			s.Validations = append(s.Validations, admissionregistrationv1.Validation{Expression: "variables.indeed"})
		}, object: big, want: policy.Verdict{Violations: []string{"failed expression: object.spec.size <= 5"}, Unknown: "who asks the API server"}},
		"nor is the namespace":      {change: validation(admissionregistrationv1.Validation{Expression: "namespaceObject.metadata.labels.tier == 'gold'"}), object: big, want: policy.Verdict{Unknown: "the namespace's object"}},
		"unless it is":              {change: validation(admissionregistrationv1.Validation{Expression: "namespaceObject.metadata.labels.tier == 'gold'"}), object: big, adapt: inGold},
		"Kubernetes' own libraries": {change: validation(admissionregistrationv1.Validation{Expression: "quantity('500m').isLessThan(quantity('1')) && 'a-b'.find('[a-z]') == 'a' && ip('10.0.0.1').family() == 4 && [1, 2].sum() == 3"}), object: small},
		"work is bounded as there":  {change: validation(admissionregistrationv1.Validation{Expression: strings.Repeat("object.spec.l.all(a, ", 6) + "true" + strings.Repeat(")", 6)}), object: "spec: {l: [" + strings.Repeat("1, ", 40) + "1]}", want: policy.Verdict{Errors: []string{"(over the limit)"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := request(t, c.object, c.old)
			if c.adapt != nil {
				c.adapt(&r)
			}
			got := compile(t, widgets(c.change)).Judge(t.Context(), r)
			if len(got.Errors) == 1 && strings.Contains(got.Errors[0], "cost") {
				got.Errors[0] = "(over the limit)"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func inGold(r *policy.Request) {
	r.Namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"tier": "gold"}}}
}

func validated(params admissionregistrationv1.Variable, expression string) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		s.Variables = []admissionregistrationv1.Variable{params}
		s.Validations = []admissionregistrationv1.Validation{{Expression: expression}}
	}
}

func operations(list ...admissionregistrationv1.OperationType) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		s.MatchConstraints.ResourceRules[0].Operations = list
	}
}

func excluded(name string) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		rule := about("*", "*", "*")
		rule.ResourceNames = []string{name}
		s.MatchConstraints.ExcludeResourceRules = []admissionregistrationv1.NamedRuleWithOperations{rule}
	}
}

func labelled(key string) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		s.MatchConstraints.ObjectSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: metav1.LabelSelectorOpExists}}}
	}
}

func condition(text string) specChange {
	return func(s *admissionregistrationv1.ValidatingAdmissionPolicySpec) {
		if !strings.ContainsAny(text, "<>") {
			text += " == true"
		}
		s.MatchConditions = []admissionregistrationv1.MatchCondition{{Name: "c", Expression: text}}
	}
}
