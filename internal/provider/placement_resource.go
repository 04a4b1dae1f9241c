package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ resource.Resource                   = (*placementResource)(nil)
	_ resource.ResourceWithConfigure      = (*placementResource)(nil)
	_ resource.ResourceWithValidateConfig = (*placementResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*placementResource)(nil)
)

// newPlacementResource returns the resource fleet_placement.
func newPlacementResource() resource.Resource {
	return &placementResource{}
}

// placementResource contacts nobody: it is a decision that state keeps.
type placementResource struct {
	data *providerData
}

func (*placementResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_placement"
}

func (*placementResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = placementSchema()
}

func (r *placementResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (*placementResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config placementModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(config.readPolicy(ctx).diags...)
}

func (r *placementResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan placementModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("now"), &plan.Now)...)
	prior, diags := priorPlacement(ctx, req.State)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(plan.decide(ctx, prior, r.data)...)
	// The configuration alone keeps what is write-only. All is set at once, because each walk over a large fleet takes time.
	plan.Now = types.StringNull()
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// priorPlacement reads the decision before this one; nil where there is none.
func priorPlacement(ctx context.Context, state tfsdk.State) (*placementModel, diag.Diagnostics) {
	if state.Raw.IsNull() {
		return nil, nil
	}
	var prior placementModel
	diags := state.Get(ctx, &prior)
	return &prior, diags
}

func (r *placementResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.Diagnostics.Append(r.settle(ctx, req.Config, req.Plan, nil, &resp.State)...)
}

// Read leaves the decision as it is: all there is to read is in the state.
func (*placementResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *placementResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	prior, diags := priorPlacement(ctx, req.State)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.settle(ctx, req.Config, req.Plan, prior, &resp.State)...)
}

// Delete has nothing to undo; the framework removes the state.
func (*placementResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// settle decides with all that is known by now.
func (r *placementResource) settle(ctx context.Context, config tfsdk.Config, plan tfsdk.Plan, prior *placementModel, state *tfsdk.State) diag.Diagnostics {
	var model placementModel
	diags := plan.Get(ctx, &model)
	diags.Append(config.GetAttribute(ctx, path.Root("now"), &model.Now)...)
	if diags.HasError() {
		return diags
	}
	// Terraform plans once more right before it applies, so the warnings were given.
	diags.Append(model.decide(ctx, prior, r.data).Errors()...)
	if diags.HasError() {
		return diags
	}
	model.Now = types.StringNull()
	diags.Append(state.Set(ctx, model)...)
	return diags
}
