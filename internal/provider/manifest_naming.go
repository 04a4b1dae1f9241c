package provider

import (
	"context"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
)

// instanceKey is where the plan of an update leaves its instance: if Terraform plans a replacement after it, the plan of the
// create finds it there.
const instanceKey = "instance"

// checkName refuses two resources with one set name. before is the set in the state; nil at a create.
func (r *manifestResource) checkName(ctx context.Context, set deploy.Set, before *deploy.Set, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	var diags diag.Diagnostics
	var err error
	if before != nil {
		diags.Append(resp.Private.SetKey(ctx, instanceKey, []byte(strconv.Quote(before.Instance)))...)
		err = r.data.runner.NoteKept(set, *before)
	} else {
		text, more := req.Private.GetKey(ctx, instanceKey)
		diags.Append(more...)
		replaces, unquoted := strconv.Unquote(string(text))
		if text != nil && unquoted != nil {
			diags.AddError("The plan's mark does not parse", unquoted.Error())
		}
		err = r.data.runner.NoteCreate(set, replaces)
	}
	if err != nil {
		diags.AddAttributeError(path.Root("name"), "Two resources with one set name", sentence(err.Error()))
	}
	return diags
}
