package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// refuseSelector reports what is wrong with a part of a selector. The text repeats the path, because Terraform shows no
// more of it than the line of the resource.
func refuseSelector(diags *diag.Diagnostics, at path.Path, detail string) {
	diags.AddAttributeError(at, "Invalid selector", at.String()+": "+detail)
}

// compileSelector reads and checks a selector. The result is nil where a part of it is unknown or wrong; what is
// known is checked all the same. The selector may look at the cluster attributes in sees.
func compileSelector(ctx context.Context, at path.Path, object types.Object, sees []string) (*placement.Selector, diag.Diagnostics) {
	if object.IsUnknown() || object.IsNull() {
		return nil, nil
	}
	var value selectorModel
	diags := object.As(ctx, &value, basetypes.ObjectAsOptions{})
	if diags.HasError() {
		return nil, diags
	}
	reader := selectorReader{at: at, known: true}
	spec := reader.selector(ctx, value)
	diags.Append(reader.diags...)
	selector, err := placement.Compile(spec)
	if invalid := (*placement.InvalidSelectorError)(nil); errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			refuseSelector(&diags, problemPath(at, problem), problem.Detail)
		}
	} else if err != nil {
		refuseSelector(&diags, at, err.Error())
	} else {
		diags.Append(checkSight(at.AtName("cel"), selector.DependsOn(), sees)...)
	}
	if !reader.known || diags.HasError() {
		return nil, diags
	}
	return selector, diags
}

func problemPath(at path.Path, problem placement.Problem) path.Path {
	at = at.AtName(problem.Argument)
	switch {
	case problem.Key != "":
		return at.AtMapKey(problem.Key)
	case problem.Index >= 0:
		return at.AtListIndex(problem.Index).AtName(problem.Field)
	}
	return at
}

// checkSight refuses an expression that looks at what the resource's clusters do not have: it would be judged on
// empty values.
func checkSight(at path.Path, parts []placement.Part, sees []string) diag.Diagnostics {
	var diags diag.Diagnostics
	var blind []string
	for _, part := range parts {
		if !slices.Contains(sees, part.Field) && !slices.Contains(blind, part.Field) {
			blind = append(blind, part.Field)
		}
	}
	if len(blind) > 0 {
		refuseSelector(&diags, at, fmt.Sprintf(
			"The expression looks at %s of the cluster, which this resource does not take, so that what changes by itself never "+
				"shows as a change here. It can look at %s. Choose by other attributes in a fleet_placement, and pass its selected.",
			strings.Join(blind, ", "), strings.Join(sees, ", ")))
	}
	return diags
}

// selectorModel is a selector in configuration.
type selectorModel struct {
	MatchLabels      types.Map    `tfsdk:"match_labels"`
	MatchExpressions types.List   `tfsdk:"match_expressions"`
	Names            types.List   `tfsdk:"names"`
	Exclude          types.List   `tfsdk:"exclude"`
	CEL              types.String `tfsdk:"cel"`
}

// requirementModel is one item of match_expressions.
type requirementModel struct {
	Key      types.String `tfsdk:"key"`
	Operator types.String `tfsdk:"operator"`
	Values   types.List   `tfsdk:"values"`
}

// selectorReader turns configuration into a selector. Unknown parts are left out, or stood in for by something
// valid where positions count, and clear known.
type selectorReader struct {
	at    path.Path
	known bool
	diags diag.Diagnostics
}

func (r *selectorReader) selector(ctx context.Context, value selectorModel) fleet.Selector {
	return fleet.Selector{
		MatchLabels:      r.labels(value.MatchLabels),
		MatchExpressions: r.requirements(ctx, value.MatchExpressions),
		Names:            r.names(value.Names),
		Exclude:          r.texts(r.at.AtName("exclude"), value.Exclude),
		CEL:              r.cel(value.CEL),
	}
}

func (r *selectorReader) labels(value types.Map) map[string]string {
	r.known = r.known && !value.IsUnknown()
	labels := make(map[string]string, len(value.Elements()))
	for key, element := range value.Elements() {
		text, _ := element.(types.String)
		r.known = r.known && !text.IsUnknown()
		if text.IsNull() {
			refuseSelector(&r.diags, r.at.AtName("match_labels").AtMapKey(key), fmt.Sprintf(
				"The value is null. To ask that a label is not set, write match_expressions = [{ key = %q, operator = \"DoesNotExist\" }].", key))
		}
		labels[key] = text.ValueString()
	}
	return labels
}

func (r *selectorReader) requirements(ctx context.Context, value types.List) []fleet.Requirement {
	r.known = r.known && !value.IsUnknown()
	requirements := make([]fleet.Requirement, 0, len(value.Elements()))
	for i, element := range value.Elements() {
		at := r.at.AtName("match_expressions").AtListIndex(i)
		object, ok := element.(types.Object)
		if !ok || object.IsNull() {
			refuseSelector(&r.diags, at, "The item is null. Leave it out.")
		}
		requirements = append(requirements, r.requirement(ctx, at, object))
	}
	return requirements
}

func (r *selectorReader) requirement(ctx context.Context, at path.Path, object types.Object) fleet.Requirement {
	standIn := fleet.Requirement{Key: "unknown", Operator: fleet.OperatorExists}
	if object.IsNull() {
		return standIn
	}
	var value requirementModel
	if !object.IsUnknown() {
		r.diags.Append(object.As(ctx, &value, basetypes.ObjectAsOptions{})...)
	}
	values := r.texts(at.AtName("values"), value.Values)
	if object.IsUnknown() || value.Key.IsUnknown() || value.Operator.IsUnknown() || value.Values.IsUnknown() ||
		len(values) < len(value.Values.Elements()) {
		r.known = false
		return standIn
	}
	return fleet.Requirement{
		Key:      value.Key.ValueString(),
		Operator: fleet.SelectorOperator(value.Operator.ValueString()),
		Values:   values,
	}
}

// names refuses an empty list: it would not restrict anything, while whoever computed it meant no cluster at all.
func (r *selectorReader) names(value types.List) []string {
	if !value.IsNull() && !value.IsUnknown() && len(value.Elements()) == 0 {
		refuseSelector(&r.diags, r.at.AtName("names"),
			"The list is empty. Name at least one cluster, or set names to null to consider all clusters.")
	}
	return r.texts(r.at.AtName("names"), value)
}

func (r *selectorReader) texts(at path.Path, value types.List) []string {
	r.known = r.known && !value.IsUnknown()
	texts := make([]string, 0, len(value.Elements()))
	for i, element := range value.Elements() {
		text, _ := element.(types.String)
		switch {
		case text.IsUnknown():
			r.known = false
		case text.IsNull():
			refuseSelector(&r.diags, at.AtListIndex(i), "The item is null. Leave it out.")
		default:
			texts = append(texts, text.ValueString())
		}
	}
	return texts
}

func (r *selectorReader) cel(value types.String) string {
	r.known = r.known && !value.IsUnknown()
	if !value.IsNull() && !value.IsUnknown() && strings.TrimSpace(value.ValueString()) == "" {
		refuseSelector(&r.diags, r.at.AtName("cel"), "The expression is empty. Set cel to null to ask nothing.")
		return ""
	}
	return value.ValueString()
}

// selectorValidator checks what is known of a selector as early as validate.
type selectorValidator struct {
	sees []string
}

func (selectorValidator) Description(context.Context) string {
	return "operators, labels and the expression must be valid"
}

func (v selectorValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v selectorValidator) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	_, diags := compileSelector(ctx, req.Path, req.ConfigValue, v.sees)
	resp.Diagnostics.Append(diags...)
}
