package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// planDestroy says at plan what would stop a destroy halfway. There is no configuration any more, only the state.
func (r *manifestResource) planDestroy(ctx context.Context, req resource.ModifyPlanRequest) diag.Diagnostics {
	var diags diag.Diagnostics
	var model manifestModel
	if diags.Append(req.State.Get(ctx, &model)...); diags.HasError() || r.data == nil {
		return diags
	}
	return append(diags, r.planRemoval(ctx, model)...)
}

// planRemoval says what would stop the removal of the set.
func (r *manifestResource) planRemoval(ctx context.Context, model manifestModel) diag.Diagnostics {
	var diags diag.Diagnostics
	set, state, more := r.known(ctx, model)
	if diags.Append(more...); diags.HasError() {
		return diags
	}
	if err := r.data.runner.NoteDestroy(set, r.data.runner.Succeeded(set, state)); err != nil {
		diags.AddError("Two resources with one set name", sentence(err.Error()))
	}
	diags.Append(destroyDiagnostics(r.data.runner.Unusable(set, state), len(state), false)...)
	plan, problems := r.data.runner.PlanDestroy(set, state)
	diags.Append(destroyLimitDiagnostics(plan, set)...)
	if diags.HasError() {
		return diags
	}
	// What will not be allowed is asked of clusters that answer.
	if problems = append(problems, r.data.runner.ReviewDestroy(ctx, set, state)...); len(problems) > 0 {
		diags.AddError("The set cannot be removed from "+clusterCount(len(problems.Clusters())), problems.String()+"\n\nNothing was changed.")
	}
	return diags
}
