package policy

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"
)

// matches tells whether the policy is about the request, and what it would have to know to tell.
func (p *Policy) matches(r Request, attributes admission.Attributes) (matches bool, unknown string) {
	if rules.IsExemptAdmissionConfigurationResource(attributes) {
		return false, ""
	}
	m := p.Spec.MatchConstraints
	is := func(list []admissionregistrationv1.NamedRuleWithOperations) bool {
		return slices.ContainsFunc(list, func(rule admissionregistrationv1.NamedRuleWithOperations) bool {
			matcher := rules.Matcher{Rule: rule.RuleWithOperations, Attr: attributes}
			return matcher.Matches() && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, attributes.GetName()))
		})
	}
	if !is(m.ResourceRules) || is(m.ExcludeResourceRules) {
		return false, ""
	}
	if !p.objects.Matches(labelsOf(r.Object)) && (r.Old == nil || !p.objects.Matches(labelsOf(r.Old))) {
		return false, ""
	}
	return p.inNamespace(r)
}

// inNamespace tells whether the namespace is one of those that the policy is about. Objects outside of namespaces always are, but a
// Namespace is judged by its own labels.
func (p *Policy) inNamespace(r Request) (matches bool, unknown string) {
	switch {
	case p.namespaces.Empty():
		return true, ""
	case isNamespace(r):
		return p.namespaces.Matches(labelsOf(r.Object)), ""
	case r.Key.Namespace == "":
		return true, ""
	case r.Namespace != nil:
		return p.namespaces.Matches(labels.Set(r.Namespace.Labels)), ""
	}
	// Of a namespace that nobody knows, one label is certain. A requirement that it fails decides, whatever the others say.
	certain := labels.Set{corev1.LabelMetadataName: r.Key.Namespace}
	requirements, _ := p.namespaces.Requirements()
	for _, q := range requirements {
		switch {
		case q.Key() != corev1.LabelMetadataName:
			unknown = "the labels of the namespace"
		case !q.Matches(certain):
			return false, ""
		}
	}
	return unknown == "", unknown
}

func isNamespace(r Request) bool { return r.Kind.Group == "" && r.Kind.Kind == "Namespace" }

func labelsOf(o Object) labels.Set {
	if accessor, ok := o.(metav1.Object); ok {
		return accessor.GetLabels()
	}
	return nil
}

// Operations are those of create and update that the policy is about for the resource; a later exclusion may leave nothing of them.
func (p *Policy) Operations(resource schema.GroupVersionResource) (create, update bool) {
	is := func(operation admission.Operation) bool {
		attributes := admission.NewAttributesRecord(nil, nil, schema.GroupVersionKind{}, "", "", resource, "", operation, nil, false, nil)
		return slices.ContainsFunc(p.Spec.MatchConstraints.ResourceRules, func(rule admissionregistrationv1.NamedRuleWithOperations) bool {
			// The scope is the single object's.
			rule.Scope = nil
			matcher := rules.Matcher{Rule: rule.RuleWithOperations, Attr: attributes}
			return matcher.Matches()
		})
	}
	return is(admission.Create), is(admission.Update)
}
