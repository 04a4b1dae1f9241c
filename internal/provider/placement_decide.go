package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// decide computes selected and rejected. Both stay unknown as long as one cluster may still go either way,
// because a map cannot have keys that are not known yet.
func (m *placementModel) decide(ctx context.Context) diag.Diagnostics {
	m.Selected = types.MapUnknown(clusterObjectType(schedulingClusterAttributes()))
	m.Rejected = types.MapUnknown(types.StringType)
	chosen, diags := m.selectors(ctx)
	if diags.HasError() || !chosen.known || m.Clusters.IsUnknown() {
		return diags
	}
	clusters, unknown, d := clustersFromMap(ctx, m.Clusters)
	diags.Append(d...)
	if diags.HasError() {
		return diags
	}
	decision, err := placement.Select(chosen.compiled, slices.Collect(maps.Values(clusters)), unknown)
	if err != nil {
		diags.Append(selectDiagnostics(err, chosen.paths)...)
		return diags
	}
	for _, warning := range decision.Warnings {
		diags.AddWarning("A selector names a cluster that is not there", warning)
	}
	if len(decision.Undecided) > 0 {
		return diags
	}
	diags.Append(m.record(ctx, decision)...)
	if len(decision.Selected) == 0 {
		diags.AddWarning("No cluster is selected", nothingSelected(clusters, decision))
	}
	return diags
}

// placementSelectors are the selectors of a placement, with their places in the configuration.
type placementSelectors struct {
	compiled []*placement.Selector
	paths    []path.Path
	known    bool
}

func (m *placementModel) selectors(ctx context.Context) (placementSelectors, diag.Diagnostics) {
	var diags diag.Diagnostics
	chosen := placementSelectors{known: !m.Selector.IsUnknown() && !m.Selectors.IsUnknown()}
	sees := namesOf(schedulingClusterAttributes())
	add := func(at path.Path, object types.Object) {
		selector, d := compileSelector(ctx, at, object, sees)
		diags.Append(d...)
		if selector == nil {
			chosen.known = false
			return
		}
		chosen.compiled = append(chosen.compiled, selector)
		chosen.paths = append(chosen.paths, at)
	}
	if !m.Selector.IsNull() {
		add(path.Root("selector"), m.Selector)
	}
	for i, element := range m.Selectors.Elements() {
		object, ok := element.(types.Object)
		if !ok || object.IsNull() {
			refuseSelector(&diags, path.Root("selectors").AtListIndex(i), "The item is null. Leave it out.")
			continue
		}
		add(path.Root("selectors").AtListIndex(i), object)
	}
	if m.Selector.IsNull() && !m.Selectors.IsNull() && !m.Selectors.IsUnknown() && len(m.Selectors.Elements()) == 0 {
		// Whoever computed an empty list meant no cluster, and would get all.
		refuseSelector(&diags, path.Root("selectors"),
			"The list is empty. Give at least one selector, or set selectors to null to choose all clusters.")
	}
	return chosen, diags
}

// record writes the decision. The chosen elements are passed on as they are, with what is unknown in them.
func (m *placementModel) record(ctx context.Context, decision placement.Decision) diag.Diagnostics {
	var diags diag.Diagnostics
	elements := m.Clusters.Elements()
	selected := make(map[string]attr.Value, len(decision.Selected))
	for _, name := range decision.Selected {
		element, d := withName(ctx, elements[name], name)
		diags.Append(d...)
		selected[name] = element
	}
	rejected := make(map[string]attr.Value, len(decision.Rejected))
	for name, reason := range decision.Rejected {
		if reason == "" {
			rejected[name] = types.StringUnknown()
			continue
		}
		rejected[name] = types.StringValue(reason)
	}
	var d diag.Diagnostics
	m.Selected, d = types.MapValue(m.Selected.ElementType(ctx), selected)
	diags.Append(d...)
	m.Rejected, d = types.MapValue(types.StringType, rejected)
	diags.Append(d...)
	return diags
}

// withName fills in the name of a cluster written by hand without one.
func withName(ctx context.Context, element attr.Value, name string) (attr.Value, diag.Diagnostics) {
	object, ok := element.(types.Object)
	if !ok || object.IsUnknown() {
		return element, nil
	}
	attributes := object.Attributes()
	attributes["name"] = types.StringValue(name)
	return types.ObjectValue(object.AttributeTypes(ctx), attributes)
}

// selectDiagnostics puts the errors of expressions at the expressions.
func selectDiagnostics(err error, paths []path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	var failures placement.EvaluationErrors
	if !errors.As(err, &failures) {
		diags.AddAttributeError(path.Root("clusters"), "No placement", err.Error())
		return diags
	}
	for _, failure := range failures {
		at := paths[failure.Selector].AtName("cel")
		diags.AddAttributeError(at, fmt.Sprintf("The expression %s fails", at), failure.Error())
	}
	return diags
}

// mostReasons is how many rejections a warning spells out; the attribute rejected has all.
const mostReasons = 10

func nothingSelected(clusters map[string]fleet.Cluster, decision placement.Decision) string {
	if len(clusters) == 0 {
		return "clusters is empty. Whatever uses selected goes nowhere, and is removed from where it was."
	}
	var text strings.Builder
	fmt.Fprintf(&text, "None of the %d clusters is chosen. Whatever uses selected goes nowhere, and is removed from where it was.\n", len(clusters))
	for i, name := range slices.Sorted(maps.Keys(decision.Rejected)) {
		if i == mostReasons {
			fmt.Fprintf(&text, "\n  and %d more", len(decision.Rejected)-i)
			break
		}
		fmt.Fprintf(&text, "\n  %s  %s", name, decision.Rejected[name])
	}
	return text.String()
}
