package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

// fleetPolicyModel is a fleet_policy; the policyModel is what a fleet_manifest says about ownership.
type fleetPolicyModel struct {
	Name            types.String `tfsdk:"name"`
	Clusters        types.Map    `tfsdk:"clusters"`
	Action          types.String `tfsdk:"action"`
	FailurePolicy   types.String `tfsdk:"failure_policy"`
	Match           types.Object `tfsdk:"match"`
	MatchConditions types.List   `tfsdk:"match_conditions"`
	Variables       types.List   `tfsdk:"variables"`
	Params          types.String `tfsdk:"params"`
	Validations     types.List   `tfsdk:"validations"`
	Definition      types.String `tfsdk:"definition"`

	Instance types.String `tfsdk:"instance"`
	Objects  types.Map    `tfsdk:"objects"`
	Applied  types.Map    `tfsdk:"applied"`
	Status   types.Map    `tfsdk:"status"`
	Ready    types.Bool   `tfsdk:"ready"`
	Changes  types.List   `tfsdk:"changes"`
}

type matchModel struct {
	Rules             []matchRuleModel  `tfsdk:"rules"`
	Exclude           []matchRuleModel  `tfsdk:"exclude"`
	NamespaceSelector *matchLabelsModel `tfsdk:"namespace_selector"`
	ObjectSelector    *matchLabelsModel `tfsdk:"object_selector"`
}

type matchRuleModel struct {
	Groups     []string     `tfsdk:"groups"`
	Versions   []string     `tfsdk:"versions"`
	Resources  []string     `tfsdk:"resources"`
	Operations []string     `tfsdk:"operations"`
	Names      []string     `tfsdk:"names"`
	Scope      types.String `tfsdk:"scope"`
}

type matchLabelsModel struct {
	MatchLabels      map[string]string `tfsdk:"match_labels"`
	MatchExpressions []struct {
		Key      string   `tfsdk:"key"`
		Operator string   `tfsdk:"operator"`
		Values   []string `tfsdk:"values"`
	} `tfsdk:"match_expressions"`
}

type namedExpressionModel struct {
	Name       string `tfsdk:"name"`
	Expression string `tfsdk:"expression"`
}

type validationModel struct {
	Expression        string       `tfsdk:"expression"`
	Message           types.String `tfsdk:"message"`
	MessageExpression types.String `tfsdk:"message_expression"`
	Reason            types.String `tfsdk:"reason"`
}

// known tells whether all that the policy itself says is known. The clusters are not part of that.
func (m fleetPolicyModel) known() bool {
	for _, v := range []attr.Value{m.Name, m.Action, m.FailurePolicy, m.Match, m.MatchConditions, m.Variables, m.Params, m.Validations} {
		if !whollyKnown(v) {
			return false
		}
	}
	return true
}

// define makes the definition, which must be known, and says what is wrong with it.
func (m fleetPolicyModel) define(ctx context.Context) (policy.Definition, diag.Diagnostics) {
	d := policy.Definition{Name: m.Name.ValueString(), Action: policy.Action(m.Action.ValueString()), Clusters: slices.Sorted(maps.Keys(m.Clusters.Elements()))}
	if d.Action == "" {
		d.Action = policy.ActionDeny
	}
	failure := admissionregistrationv1.Fail
	if text := m.FailurePolicy.ValueString(); text != "" {
		failure = admissionregistrationv1.FailurePolicyType(text)
	}
	d.Spec.FailurePolicy = &failure
	var match matchModel
	var conditions, variables []namedExpressionModel
	var validations []validationModel
	diags := m.Match.As(ctx, &match, basetypes.ObjectAsOptions{})
	diags.Append(m.MatchConditions.ElementsAs(ctx, &conditions, false)...)
	diags.Append(m.Variables.ElementsAs(ctx, &variables, false)...)
	diags.Append(m.Validations.ElementsAs(ctx, &validations, false)...)
	if diags.HasError() {
		return d, diags
	}
	d.Spec.MatchConstraints = match.constraints()
	for _, c := range conditions {
		d.Spec.MatchConditions = append(d.Spec.MatchConditions, admissionregistrationv1.MatchCondition(c))
	}
	if !m.Params.IsNull() {
		params, err := policy.Params(m.Params.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root("params"), "Invalid parameters", sentence(err.Error()))
			return d, diags
		}
		d.Spec.Variables = append(d.Spec.Variables, params)
	}
	for _, v := range variables {
		d.Spec.Variables = append(d.Spec.Variables, admissionregistrationv1.Variable(v))
	}
	for _, v := range validations {
		out := admissionregistrationv1.Validation{Expression: v.Expression, Message: v.Message.ValueString(), MessageExpression: v.MessageExpression.ValueString()}
		if !v.Reason.IsNull() {
			reason := metav1.StatusReason(v.Reason.ValueString())
			out.Reason = &reason
		}
		d.Spec.Validations = append(d.Spec.Validations, out)
	}
	_, errs := policy.Compile(d)
	for _, err := range errs {
		at := path.Root("match")
		if err.Field != "" {
			at = path.Root(err.Field).AtListIndex(err.Index).AtName(err.Attribute)
		}
		diags.AddAttributeError(at, "Invalid policy", err.Message)
	}
	return d, diags
}

func (m matchModel) constraints() *admissionregistrationv1.MatchResources {
	rules := func(list []matchRuleModel) []admissionregistrationv1.NamedRuleWithOperations {
		var out []admissionregistrationv1.NamedRuleWithOperations
		for _, r := range list {
			scope := admissionregistrationv1.AllScopes
			if text := r.Scope.ValueString(); text != "" {
				scope = admissionregistrationv1.ScopeType(text)
			}
			rule := admissionregistrationv1.NamedRuleWithOperations{ResourceNames: r.Names}
			rule.APIGroups, rule.APIVersions, rule.Resources, rule.Scope = r.Groups, r.Versions, r.Resources, &scope
			if len(rule.APIVersions) == 0 {
				rule.APIVersions = []string{"*"}
			}
			for _, o := range r.Operations {
				rule.Operations = append(rule.Operations, admissionregistrationv1.OperationType(o))
			}
			if len(rule.Operations) == 0 {
				rule.Operations = []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}
			}
			out = append(out, rule)
		}
		return out
	}
	selector := func(m *matchLabelsModel) *metav1.LabelSelector {
		if m == nil {
			return nil
		}
		out := &metav1.LabelSelector{MatchLabels: m.MatchLabels}
		for _, e := range m.MatchExpressions {
			out.MatchExpressions = append(out.MatchExpressions, metav1.LabelSelectorRequirement{Key: e.Key, Operator: metav1.LabelSelectorOperator(e.Operator), Values: e.Values})
		}
		return out
	}
	return &admissionregistrationv1.MatchResources{
		ResourceRules: rules(m.Rules), ExcludeResourceRules: rules(m.Exclude),
		NamespaceSelector: selector(m.NamespaceSelector), ObjectSelector: selector(m.ObjectSelector),
	}
}

// carrier is the set that carries the policy to its clusters, as the fleet_manifest that it might have been. manifest is null where only the state is of interest.
func (m fleetPolicyModel) carrier(ctx context.Context, manifest types.String) (manifestModel, diag.Diagnostics) {
	var out manifestModel
	shape := manifestSchema()
	empty := map[string]tftypes.Value{}
	object, _ := shape.Type().TerraformType(ctx).(tftypes.Object)
	for name, t := range object.AttributeTypes {
		empty[name] = tftypes.NewValue(t, nil)
	}
	diags := tfsdk.State{Schema: shape, Raw: tftypes.NewValue(object, empty)}.Get(ctx, &out)
	out.Name, out.Clusters = types.StringUnknown(), m.Clusters
	if !m.Name.IsUnknown() {
		out.Name = types.StringValue(policySetPrefix + m.Name.ValueString())
	}
	if !manifest.IsNull() {
		out.Manifests = types.ListValueMust(types.StringType, []attr.Value{manifest})
	}
	out.Instance, out.Objects, out.Applied, out.Status, out.Ready, out.Changes = m.Instance, m.Objects, m.Applied, m.Status, m.Ready, m.Changes
	return out, diags
}

// take copies what was observed of the set.
func (m *fleetPolicyModel) take(from manifestModel) {
	m.Instance, m.Objects, m.Applied, m.Status, m.Ready, m.Changes = from.Instance, from.Objects, from.Applied, from.Status, from.Ready, from.Changes
}
