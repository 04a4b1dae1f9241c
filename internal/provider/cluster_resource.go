package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

var (
	_ resource.Resource                   = (*clusterResource)(nil)
	_ resource.ResourceWithConfigure      = (*clusterResource)(nil)
	_ resource.ResourceWithValidateConfig = (*clusterResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*clusterResource)(nil)
	_ resource.ResourceWithImportState    = (*clusterResource)(nil)
)

func newClusterResource() resource.Resource { return &clusterResource{} }

// clusterResource is fleet_cluster. It writes nothing to the cluster.
type clusterResource struct {
	data *providerData
}

func (r *clusterResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cluster"
}

func (r *clusterResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = clusterSchema()
}

func (r *clusterResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (r *clusterResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config clusterModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	at := path.Root("connect")
	resp.Diagnostics.Append(connectionProblems(config.Connect, at)...)
	if own, _ := config.own(); slices.Contains(own.Secrets(), cluster.SecretProxyUser) {
		resp.Diagnostics.AddAttributeError(at.AtName("proxy_url"), "Secret in a resource's connection",
			"The URL of the proxy contains a user name or a password, which would end up in the state. "+
				"Give proxy_url in the provider's connections, under the cluster's name.")
	}
}

func (r *clusterResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan clusterModel
	if resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...); resp.Diagnostics.HasError() {
		return
	}
	ctx = withLogging(ctx)
	r.data.contacts.note(plan.Name.ValueString())
	if marks := plan.openMarks(); marks != (hubMarks{}) {
		// What a plan writes into the private data of what is to be created is not kept.
		resp.Diagnostics.Append(marks.write(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(r.register(ctx, &plan)...)
	if !resp.Diagnostics.HasError() {
		plan.settle()
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	}
}

func (r *clusterResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model clusterModel
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	ctx = withLogging(ctx)
	r.data.runner.NoteMode(model.Name.ValueString(), fleet.Mode(model.Mode.ValueString()))
	marks, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.observe(ctx, &model, marks)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

func (r *clusterResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior clusterModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.Append(req.State.Get(ctx, &prior)...); resp.Diagnostics.HasError() {
		return
	}
	ctx = withLogging(ctx)
	if plan.Reachable.IsUnknown() {
		r.data.contacts.note(plan.Name.ValueString())
	}
	resp.Diagnostics.Append(r.change(ctx, &plan, prior)...)
	if !resp.Diagnostics.HasError() {
		plan.settle()
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	}
}

func (r *clusterResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model clusterModel
	destroy, diags := isDestroy(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() || !destroy {
		return
	}
	resp.Diagnostics.Append(r.remove(withLogging(ctx), model)...)
}

// ImportState takes the cluster's name. Read finds the rest by the provider's connections, kubeconfigs and contexts.
func (r *clusterResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !clusterName.MatchString(req.ID) {
		resp.Diagnostics.AddError("Invalid import ID", "The ID of a cluster is its name, in lower case letters, digits, '-' and '.'; got \""+req.ID+"\".")
		return
	}
	for attribute, value := range map[string]string{
		"name":        req.ID,
		"mode":        string(fleet.ModeActive),
		"unreachable": string(fleet.UnreachableError),
		"on_removal":  onRemovalDrain,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}
