package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// remove does what on_removal says before the cluster leaves the fleet.
func (r *clusterResource) remove(ctx context.Context, model clusterModel) diag.Diagnostics {
	var diags diag.Diagnostics
	c := fleet.Cluster{Name: model.Name.ValueString(), UID: model.UID.ValueString(), Access: model.Access.ValueString()}
	name, mode := model.Name.ValueString(), fleet.Mode(model.Mode.ValueString())
	switch {
	case model.OnRemoval.ValueString() == onRemovalLeave:
		r.data.runner.Leave(c)
		return diags
	case mode == fleet.ModeDecommissioned, model.UID.ValueString() == "":
		// A cluster that never answered has nothing of ours.
		return r.unregister(ctx, model)
	case !r.data.ownerNamed:
		// Sets of the owner "default" may be anybody's. Those of this configuration go when Terraform updates them.
		if !model.registers() {
			return diags
		}
		diags.AddWarning(fmt.Sprintf("Cluster %q stays registered on its hub", name),
			"With a ManagedCluster its hub deletes all that is on the cluster through it, and sets are drained first only where the provider's owner is set. Delete the ManagedCluster when nothing is left on it.")
		return diags
	case mode == fleet.ModeMaintenance:
		diags.AddAttributeError(path.Root("mode"), fmt.Sprintf("Cluster %q cannot be drained in maintenance", name),
			"Removing the cluster would take the sets off it, and maintenance says to leave it alone. First apply with mode = \"active\" to drain "+
				"it, on_removal = \"leave\" to leave its objects there, or mode = \"decommissioned\" if it is gone for good.")
		return diags
	}
	problems := r.data.runner.Drain(ctx, deploy.Set{Inventory: r.data.inventory.namespace, Namespaced: r.data.inventory.namespaced, Owner: r.data.owner}, c)
	if notes := problems.Warnings(); len(notes) > 0 {
		diags.AddWarning(fmt.Sprintf("Cluster %q was not drained", name), notes.String())
	}
	if failed := problems.Errors(); len(failed) > 0 {
		diags.AddError(fmt.Sprintf("Cluster %q could not be drained", name), failed.String()+
			"\n\nThe cluster stays in the fleet, and so do the objects that are named here. If it will never answer again, first apply with mode = "+
			"\"decommissioned\"; to leave its objects there, with on_removal = \"leave\".")
		return diags
	}
	diags.Append(r.unregister(ctx, model)...)
	return diags
}
