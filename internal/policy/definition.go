package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Action is what becomes of an object that violates a policy.
type Action string

// The actions.
const (
	// ActionDeny refuses the object.
	ActionDeny Action = "deny"
	// ActionWarn lets it pass with a warning.
	ActionWarn Action = "warn"
	// ActionAudit lets it pass and notes it in the API server's audit log.
	ActionAudit Action = "audit"
)

// Actions are all actions.
var Actions = []Action{ActionDeny, ActionWarn, ActionAudit}

// validation is the action in the words of a binding.
func (a Action) validation() admissionregistrationv1.ValidationAction {
	switch a {
	case ActionWarn:
		return admissionregistrationv1.Warn
	case ActionAudit:
		return admissionregistrationv1.Audit
	}
	return admissionregistrationv1.Deny
}

// Definition is one policy, as fleet_policy writes it and fleet_manifest reads it.
type Definition struct {
	// Name is what the policy is called on every cluster.
	Name string `json:"name"`
	// Action is what becomes of an object that violates it.
	Action Action `json:"action"`
	// Clusters names the clusters that the policy is for, sorted.
	Clusters []string `json:"clusters"`
	// Spec is the policy itself.
	Spec admissionregistrationv1.ValidatingAdmissionPolicySpec `json:"spec"`
}

// For tells whether the policy is for the cluster.
func (d Definition) For(cluster string) bool { return slices.Contains(d.Clusters, cluster) }

// JSON prints the definition compactly and always the same.
func (d Definition) JSON() (string, error) { return encode(d) }

// Parse reads what JSON printed.
func Parse(text string) (Definition, error) {
	var d Definition
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return d, fmt.Errorf("the text is no definition of a fleet_policy: %w", err)
	}
	if d.Name == "" || !slices.Contains(Actions, d.Action) {
		return d, fmt.Errorf("the text is no definition of a fleet_policy: want a name and one of the actions %q, got %q and %q", Actions, d.Name, d.Action)
	}
	return d, nil
}

// Manifest prints the objects that carry the policy out on a cluster: a ValidatingAdmissionPolicy and its binding.
func (d Definition) Manifest() (string, error) {
	version := admissionregistrationv1.SchemeGroupVersion.String()
	binding := map[string]any{
		"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": map[string]any{"name": d.Name},
		"spec": admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: d.Name, ValidationActions: []admissionregistrationv1.ValidationAction{d.Action.validation()},
		},
	}
	// The Go types would print an empty status, which is not the manifest's to say.
	policy := map[string]any{
		"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": map[string]any{"name": d.Name}, "spec": d.Spec,
	}
	return encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{policy, binding}})
}

func encode(v any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	// Comparisons are what policies consist of, and \u003c is hard to read in a plan.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", fmt.Errorf("encode the policy: %w", err)
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}

// reasons are the machine-readable reasons that a validation may give.
var reasons = []metav1.StatusReason{
	metav1.StatusReasonUnauthorized, metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonRequestEntityTooLarge,
}

// Reasons are the reasons that a validation may give to a client, beside its message.
func Reasons() []string {
	texts := make([]string, 0, len(reasons))
	for _, r := range reasons {
		texts = append(texts, string(r))
	}
	return texts
}
