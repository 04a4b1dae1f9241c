package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	celtypes "github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Object is a Kubernetes object: of its Go type where the kind is built in, as it is in the API server, else unstructured.
type Object = runtime.Object

// Request is what a policy judges.
type Request struct {
	Key fleet.ObjectKey
	// Kind is the object's kind, and Resource where the cluster serves it.
	Kind     schema.GroupVersionKind
	Resource schema.GroupVersionResource
	// Object is the object as it would be.
	Object Object
	// Old is the object as it is; nil where it does not exist.
	Old Object
	// Namespace is the namespace's object; nil where that is not known.
	Namespace *corev1.Namespace
	// Hidden tells that no value of the object may be repeated: messages are then not computed, and errors not detailed.
	Hidden bool
}

// Verdict is what a policy says of a request.
type Verdict struct {
	// Violations are the messages of the validations that the object fails.
	Violations []string
	// Errors are expressions that could not be evaluated. The API server refuses an object for that, unless the failure policy is Ignore.
	Errors []string
	// Unknown is what has to be known to judge the object and is not; empty where all could be judged.
	Unknown string
}

// Judge tells what the policy says of the request.
func (p *Policy) Judge(ctx context.Context, r Request) Verdict {
	attributes, versioned := r.attributes()
	var out Verdict
	matches, unknown := p.matches(r, attributes)
	if unknown != "" {
		return Verdict{Unknown: unknown}
	}
	if !matches {
		return out
	}
	request := cel.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(r.Resource), metav1.GroupVersionKind(r.Kind))
	if matches, done := p.conditionsHold(ctx, versioned, request, r, &out); !matches || done {
		return out
	}
	namespace := cel.CreateNamespaceObject(r.Namespace)
	results, budget, err := p.validations.ForInput(ctx, versioned, request, cel.OptionalVariableBindings{}, namespace, celconfig.RuntimeCELCostBudget)
	if err != nil {
		p.fail(&out, r, err)
		return out
	}
	messages, _, messageErr := p.messages.ForInput(ctx, versioned, request, cel.OptionalVariableBindings{}, namespace, budget)
	for i, result := range results {
		switch unknown := p.validationNeeds[i].unknown(r.Namespace != nil); {
		case unknown != "":
			out.Unknown = unknown
		case result.Error != nil:
			p.fail(&out, r, result.Error)
		case errors.Is(messageErr, apiservercel.ErrInternal) || errors.Is(messageErr, apiservercel.ErrOutOfBudget):
			p.fail(&out, r, fmt.Errorf("the message expression failed: %w", messageErr))
		case result.EvalResult != celtypes.True:
			var message *cel.EvaluationResult
			if i < len(messages) && !r.Hidden {
				message = &messages[i]
			}
			out.Violations = append(out.Violations, words(p.Spec.Validations[i], message))
		}
	}
	return out
}

// attributes are the request as the API server would see it. The request for a Namespace counts as one inside of it.
func (r Request) attributes() (admission.Attributes, *admission.VersionedAttributes) {
	operation := admission.Create
	if r.Old != nil {
		operation = admission.Update
	}
	namespace := r.Key.Namespace
	if isNamespace(r) {
		namespace = r.Key.Name
	}
	attributes := admission.NewAttributesRecord(r.Object, r.Old, r.Kind, namespace, r.Key.Name, r.Resource, "", operation, nil, false, nil)
	return attributes, &admission.VersionedAttributes{
		Attributes: attributes, VersionedKind: r.Kind,
		VersionedObject: admission.NewLazyObject(r.Object), VersionedOldObject: admission.NewLazyObject(r.Old),
	}
}

// conditionsHold tells whether all match conditions do; done tells that this cannot be told, which then stands in the verdict.
func (p *Policy) conditionsHold(ctx context.Context, versioned *admission.VersionedAttributes, request *admissionv1.AdmissionRequest, r Request, out *Verdict) (hold, done bool) {
	results, _, err := p.conditions.ForInput(ctx, versioned, request, cel.OptionalVariableBindings{}, nil, celconfig.RuntimeCELCostBudgetMatchConditions)
	if err != nil {
		p.fail(out, r, err)
		return true, true
	}
	var failed []error
	for i, result := range results {
		// The API server gives match conditions no namespace, so it is as known as ever.
		unknown := p.conditionNeeds[i].unknown(true)
		switch {
		case unknown != "":
			out.Unknown = unknown
		case result.Error != nil:
			failed = append(failed, result.Error)
		case result.EvalResult == celtypes.False:
			*out = Verdict{}
			return false, true
		}
	}
	if out.Unknown != "" {
		return true, true
	}
	for _, err := range failed {
		p.fail(out, r, err)
	}
	return true, len(failed) > 0
}

// fail notes an expression that cannot be evaluated, where that counts.
func (p *Policy) fail(out *Verdict, r Request, err error) {
	if f := p.Spec.FailurePolicy; f != nil && *f == admissionregistrationv1.Ignore {
		return
	}
	text := err.Error()
	if r.Hidden {
		text = "an expression cannot be evaluated; the reason might repeat what is hidden"
	}
	out.Errors = append(out.Errors, text)
}

// words is the message, chosen as the API server does: what the message expression yields, else the message, else the expression.
func words(v admissionregistrationv1.Validation, result *cel.EvaluationResult) string {
	if result != nil && result.Error == nil && result.EvalResult != nil {
		if text, ok := result.EvalResult.Value().(string); ok {
			text = strings.TrimSpace(text)
			if text != "" && len(text) <= celconfig.MaxEvaluatedMessageExpressionSizeBytes && !strings.Contains(text, "\n") {
				return text
			}
		}
	}
	if text := strings.TrimSpace(v.Message); text != "" {
		return text
	}
	return "failed expression: " + strings.TrimSpace(v.Expression)
}
