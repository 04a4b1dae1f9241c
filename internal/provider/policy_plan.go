package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
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
	r.planSet(ctx, carrier, before, req, resp)
}

func (r *policyResource) planSet(ctx context.Context, carrier manifestModel, before *manifestModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	set, unknown, diags := r.sets.wanted(ctx, carrier, before)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	var state deploy.State
	var was *deploy.Set
	if before != nil {
		known, found, diags := r.sets.known(ctx, *before)
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		was, state = &known, found
	}
	if !carrier.Name.IsUnknown() {
		if resp.Diagnostics.Append(r.sets.checkName(ctx, set, was, req, resp)...); resp.Diagnostics.HasError() {
			return
		}
	}
	if unknown {
		for _, name := range policyResults {
			if name != "instance" {
				resp.Diagnostics.Append(setUnknown(ctx, resp, name)...)
			}
		}
		return
	}
	if before == nil {
		resp.Diagnostics.Append(markClusters(ctx, sortedNames(set.Clusters), resp)...)
	}
	todo, problems := r.sets.data.runner.Plan(ctx, set, state)
	if resp.Diagnostics.Append(planDiagnostics(problems, todo)...); resp.Diagnostics.HasError() {
		return
	}
	planned := plannedValues(set, todo, state, before)
	if before != nil {
		planned["clusters"] = keepClusters(carrier, *before, todo, func(string) bool { return true })
	}
	for _, name := range sortedNames(planned) {
		if name == "clusters" || slices.Contains(policyResults, name) {
			resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), planned[name])...)
		}
	}
}
