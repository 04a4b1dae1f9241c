package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// reviewDestroy says at plan what a destroy will not be allowed to do. It asks only clusters that answer.
func (r *manifestResource) reviewDestroy(ctx context.Context, state tfsdk.State) diag.Diagnostics {
	var model manifestModel
	diags := state.Get(ctx, &model)
	if diags.HasError() || r.data == nil {
		return diags
	}
	set, known, more := r.known(ctx, model)
	if diags.Append(more...); diags.HasError() {
		return diags
	}
	if problems := r.data.runner.ReviewDestroy(ctx, set, known); len(problems) > 0 {
		diags.AddError("The set cannot be removed from "+clusterCount(len(problems.Clusters())), problems.String()+"\n\nNothing was changed.")
	}
	return diags
}
