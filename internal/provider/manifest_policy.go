package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// defaultAbsorb are the field managers a set takes over from where it does not say.
var defaultAbsorb = []string{"kubectl*"}

// policyModel are the arguments that say whose is what.
type policyModel struct {
	Existing         types.String `tfsdk:"existing"`
	OnAdopted        types.String `tfsdk:"on_adopted"`
	Conflicts        types.String `tfsdk:"conflicts"`
	Drift            types.String `tfsdk:"drift"`
	Missing          types.String `tfsdk:"missing"`
	Unserved         types.String `tfsdk:"unserved"`
	Deletion         types.String `tfsdk:"deletion"`
	ReplaceImmutable types.Bool   `tfsdk:"replace_immutable"`
	Rules            types.List   `tfsdk:"rules"`
	IgnoreFields     types.List   `tfsdk:"ignore_fields"`
	SensitiveFields  types.List   `tfsdk:"sensitive_fields"`
	AbsorbManagers   types.List   `tfsdk:"absorb_managers"`
	Propagation      types.String `tfsdk:"propagation"`
	Abandon          types.List   `tfsdk:"abandon"`
	Takeover         types.String `tfsdk:"takeover"`
	Limits           types.Object `tfsdk:"limits"`
}

type targetModel struct {
	Group       types.String `tfsdk:"group"`
	Kind        types.String `tfsdk:"kind"`
	Namespace   types.String `tfsdk:"namespace"`
	Name        types.String `tfsdk:"name"`
	MatchLabels types.Map    `tfsdk:"match_labels"`
}

type ruleModel struct {
	Target           types.Object `tfsdk:"target"`
	Clusters         types.Object `tfsdk:"clusters"`
	Paths            types.List   `tfsdk:"paths"`
	Existing         types.String `tfsdk:"existing"`
	OnAdopted        types.String `tfsdk:"on_adopted"`
	Conflicts        types.String `tfsdk:"conflicts"`
	Drift            types.String `tfsdk:"drift"`
	Missing          types.String `tfsdk:"missing"`
	Unserved         types.String `tfsdk:"unserved"`
	Deletion         types.String `tfsdk:"deletion"`
	ReplaceImmutable types.Bool   `tfsdk:"replace_immutable"`
}

type fieldRuleModel struct {
	Target   types.Object `tfsdk:"target"`
	Clusters types.Object `tfsdk:"clusters"`
	Paths    types.List   `tfsdk:"paths"`
}

type limitsModel struct {
	Deletions types.Int64 `tfsdk:"deletions"`
	Clusters  types.Int64 `tfsdk:"clusters"`
}

// unknown tells whether any of the policies is not known yet.
func (m policyModel) unknown() bool {
	for _, v := range []interface{ IsUnknown() bool }{m.Existing, m.OnAdopted, m.Conflicts, m.Drift, m.Missing, m.Unserved, m.Deletion, m.ReplaceImmutable,
		m.Propagation, m.Takeover} {
		if v.IsUnknown() {
			return true
		}
	}
	for _, v := range []attr.Value{m.Rules, m.IgnoreFields, m.SensitiveFields, m.AbsorbManagers, m.Abandon, m.Limits} {
		if !whollyKnown(v) {
			return true
		}
	}
	return false
}

// whollyKnown tells whether no part of the value is unknown.
func whollyKnown(v attr.Value) bool {
	raw, err := v.ToTerraformValue(context.Background())
	return err == nil && raw.IsFullyKnown()
}

// into writes the policies into the set. Everything must be known.
func (m policyModel) into(ctx context.Context, set *deploy.Set) diag.Diagnostics {
	var diags diag.Diagnostics
	set.Policy = deploy.Policy{
		Existing: fleet.Existing(m.Existing.ValueString()), OnAdopted: fleet.OnAdopted(m.OnAdopted.ValueString()),
		Conflicts: fleet.Conflicts(m.Conflicts.ValueString()), Drift: fleet.Drift(m.Drift.ValueString()),
		Missing: fleet.Missing(m.Missing.ValueString()), Unserved: fleet.Unserved(m.Unserved.ValueString()), Deletion: fleet.Deletion(m.Deletion.ValueString()),
		ReplaceImmutable: m.ReplaceImmutable.ValueBool(),
	}
	set.Propagation = metav1.DeletionPropagation(m.Propagation.ValueString())
	set.Takeover = m.Takeover.ValueString()
	globs := defaultAbsorb
	if !m.AbsorbManagers.IsNull() {
		globs = textsOf(m.AbsorbManagers)
	}
	for _, text := range globs {
		set.Absorb = append(set.Absorb, fleet.NewGlob(text))
	}
	set.Abandon = textsOf(m.Abandon)
	var limits limitsModel
	if !m.Limits.IsNull() {
		diags.Append(m.Limits.As(ctx, &limits, basetypes.ObjectAsOptions{})...)
	}
	set.Limits = deploy.Limits{Deletions: limits.Deletions.ValueInt64Pointer(), Clusters: limits.Clusters.ValueInt64Pointer()}
	var d diag.Diagnostics
	set.Rules, d = m.rules(ctx)
	diags.Append(d...)
	set.Ignore, d = fieldRules(ctx, path.Root("ignore_fields"), m.IgnoreFields)
	diags.Append(d...)
	set.Sensitive, d = fieldRules(ctx, path.Root("sensitive_fields"), m.SensitiveFields)
	diags.Append(d...)
	return diags
}

func (m policyModel) rules(ctx context.Context) ([]deploy.Rule, diag.Diagnostics) {
	var models []ruleModel
	diags := m.Rules.ElementsAs(ctx, &models, false)
	var rules []deploy.Rule
	for i, one := range models {
		frame, d := fieldRule(ctx, path.Root("rules").AtListIndex(i), one.Target, one.Clusters, one.Paths)
		diags.Append(d...)
		rules = append(rules, deploy.Rule{
			Target: frame.Target, Clusters: frame.Clusters, Paths: frame.Paths,
			Existing: fleet.Existing(one.Existing.ValueString()), OnAdopted: fleet.OnAdopted(one.OnAdopted.ValueString()),
			Conflicts: fleet.Conflicts(one.Conflicts.ValueString()), Drift: fleet.Drift(one.Drift.ValueString()),
			Missing: fleet.Missing(one.Missing.ValueString()), Unserved: fleet.Unserved(one.Unserved.ValueString()), Deletion: fleet.Deletion(one.Deletion.ValueString()),
			ReplaceImmutable: one.ReplaceImmutable.ValueBoolPointer(),
		})
	}
	return rules, diags
}

func fieldRules(ctx context.Context, at path.Path, list types.List) ([]deploy.FieldRule, diag.Diagnostics) {
	var models []fieldRuleModel
	diags := list.ElementsAs(ctx, &models, false)
	var rules []deploy.FieldRule
	for i, one := range models {
		rule, d := fieldRule(ctx, at.AtListIndex(i), one.Target, one.Clusters, one.Paths)
		diags.Append(d...)
		rules = append(rules, rule)
	}
	return rules, diags
}

func fieldRule(ctx context.Context, at path.Path, target, clusters types.Object, paths types.List) (deploy.FieldRule, diag.Diagnostics) {
	var rule deploy.FieldRule
	var diags, d diag.Diagnostics
	rule.Target, diags = targetOf(ctx, target)
	rule.Clusters, d = selectorAt(ctx, at, clusters)
	diags.Append(d...)
	rule.Paths, d = patternsOf(at.AtName("paths"), paths)
	diags.Append(d...)
	return rule, diags
}

// patternsOf are the field paths of a list.
func patternsOf(at path.Path, list types.List) ([]fleet.Pattern, diag.Diagnostics) {
	var patterns []fleet.Pattern
	var diags diag.Diagnostics
	for i, text := range textsOf(list) {
		pattern, err := fleet.ParsePattern(text)
		if err != nil {
			diags.AddAttributeError(at.AtListIndex(i), "Invalid field path", err.Error())
			continue
		}
		patterns = append(patterns, pattern)
	}
	return patterns, diags
}

func targetOf(ctx context.Context, object types.Object) (manifest.Target, diag.Diagnostics) {
	var target manifest.Target
	if object.IsNull() {
		return target, nil
	}
	var model targetModel
	diags := object.As(ctx, &model, basetypes.ObjectAsOptions{})
	target.Group, target.Kind = model.Group.ValueStringPointer(), model.Kind.ValueString()
	glob := func(v types.String) *fleet.Glob {
		if v.IsNull() {
			return nil
		}
		g := fleet.NewGlob(v.ValueString())
		return &g
	}
	target.Namespace, target.Name = glob(model.Namespace), glob(model.Name)
	if !model.MatchLabels.IsNull() {
		diags.Append(model.MatchLabels.ElementsAs(ctx, &target.MatchLabels, false)...)
	}
	return target, diags
}

// textsOf are the known strings of a list.
func textsOf(list types.List) []string {
	var texts []string
	for _, element := range list.Elements() {
		if text, ok := element.(types.String); ok && !text.IsNull() && !text.IsUnknown() {
			texts = append(texts, text.ValueString())
		}
	}
	return texts
}

// patternValidator accepts field paths with wildcards.
type patternValidator struct{}

var _ validator.String = patternValidator{}

func (patternValidator) Description(context.Context) string {
	return "must be a field path such as spec.replicas or spec.template.spec.containers[name=web].image"
}

func (v patternValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (patternValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := fleet.ParsePattern(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid field path", fmt.Sprintf("%v.", err))
	}
}
