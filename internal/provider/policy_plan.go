package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ModifyPlan plans the set that carries the policy, by the same rules as a fleet_manifest's.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	destroy := markPurpose(ctx, req, resp)
	ctx = withLogging(ctx)
	var plan fleetPolicyModel
	var before *manifestModel
	if !req.State.Raw.IsNull() {
		var prior fleetPolicyModel
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
		known, diags := prior.carrier(ctx, types.StringNull())
		resp.Diagnostics.Append(diags...)
		before = &known
	}
	if resp.Diagnostics.HasError() || r.sets.data == nil {
		return
	}
	if destroy {
		resp.Diagnostics.Append(r.sets.planRemoval(ctx, *before)...)
		return
	}
	if resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...); resp.Diagnostics.HasError() {
		return
	}
	carrier, diags := r.wanted(ctx, &plan)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("definition"), plan.Definition)...)
	results := slices.DeleteFunc(slices.Clone(policyResults), func(name string) bool { return name == "instance" })
	planned := r.sets.planSet(ctx, carrier, before, results, req, resp)
	for _, name := range sortedNames(planned) {
		if name == "clusters" || slices.Contains(policyResults, name) {
			resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), planned[name])...)
		}
	}
}
