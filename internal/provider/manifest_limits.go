package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
)

// limitDiagnostics refuses a plan that does more than the set's limits allow.
func limitDiagnostics(todo deploy.Plan, set deploy.Set) diag.Diagnostics {
	var diags diag.Diagnostics
	if text := todo.Over(set.Limits); text != "" {
		diags.AddAttributeError(path.Root("limits"), "The plan exceeds the limits of the set",
			text+"\n\nNothing was changed. Where the plan is what is meant, raise the limit, or go there in steps.")
	}
	return diags
}

// destroyLimitDiagnostics does the same for a destroy, which goes by the limits in the state.
func destroyLimitDiagnostics(todo deploy.Plan, set deploy.Set) diag.Diagnostics {
	var diags diag.Diagnostics
	if text := todo.Over(set.Limits); text != "" {
		diags.AddError("The destroy exceeds the limits of the set",
			text+"\n\nNothing was changed. A destroy goes by the limits of the last apply: where it is meant, first raise or remove limits and apply, then destroy.")
	}
	return diags
}
