package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// leaveUnnamed is removal without an owner of this configuration's own: sets of the owner "default" may be anybody's, so
// none is removed here. Those of this configuration are taken off when Terraform updates them.
func (r *clusterResource) leaveUnnamed(ctx context.Context, c fleet.Cluster) diag.Diagnostics {
	var diags diag.Diagnostics
	sets, err := r.data.runner.Sets(ctx, r.data.inventory.namespace, r.data.owner, c)
	if err != nil || len(sets) == 0 {
		// Whether the cluster can be asked matters to the sets, which will say so, and not to leaving the fleet.
		return diags
	}
	diags.AddWarning(fmt.Sprintf("Cluster %q was not drained", c.Name),
		fmt.Sprintf("These sets of the owner %q are on it: %s. The provider has no owner set, so they may belong to another configuration, and none is "+
			"removed here. Those of this configuration are removed when Terraform updates them, which is after the cluster's infrastructure is destroyed if that "+
			"leaves with it. Set owner in the provider's configuration to have clusters drained before.", r.data.owner, strings.Join(sets, ", ")))
	return diags
}

// remove does what on_removal says before the cluster leaves the fleet.
func (r *clusterResource) remove(ctx context.Context, model clusterModel) diag.Diagnostics {
	var diags diag.Diagnostics
	name, mode := model.Name.ValueString(), fleet.Mode(model.Mode.ValueString())
	switch {
	case model.OnRemoval.ValueString() != onRemovalDrain, mode == fleet.ModeDecommissioned, model.UID.ValueString() == "":
		// A cluster that never answered has nothing of ours.
		return diags
	case mode == fleet.ModeMaintenance:
		diags.AddAttributeError(path.Root("mode"), fmt.Sprintf("Cluster %q cannot be drained in maintenance", name),
			"Removing the cluster would take the sets off it, and maintenance says to leave it alone. First apply with mode = \"active\" to drain "+
				"it, on_removal = \"leave\" to leave its objects there, or mode = \"decommissioned\" if it is gone for good.")
		return diags
	}
	c := fleet.Cluster{Name: name, UID: model.UID.ValueString(), Access: model.Access.ValueString()}
	if !r.data.ownerNamed {
		return r.leaveUnnamed(ctx, c)
	}
	problems := r.data.runner.Drain(ctx, r.data.inventory.namespace, r.data.owner, c)
	if notes := problems.Warnings(); len(notes) > 0 {
		diags.AddWarning(fmt.Sprintf("Cluster %q was not drained", name), notes.String())
	}
	if failed := problems.Errors(); len(failed) > 0 {
		diags.AddError(fmt.Sprintf("Cluster %q could not be drained", name), failed.String()+
			"\n\nThe cluster stays in the fleet, and so do the objects that are named here. If it will never answer again, first apply with mode = "+
			"\"decommissioned\"; to leave its objects there, with on_removal = \"leave\".")
	}
	return diags
}
