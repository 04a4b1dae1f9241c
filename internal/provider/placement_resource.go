package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ resource.Resource               = (*placementResource)(nil)
	_ resource.ResourceWithModifyPlan = (*placementResource)(nil)
)

// newPlacementResource returns the resource fleet_placement.
func newPlacementResource() resource.Resource {
	return &placementResource{}
}

// placementResource contacts nobody: it is a decision that state keeps.
type placementResource struct{}

// placementModel is a placement in configuration, plan and state.
type placementModel struct {
	Clusters  types.Map    `tfsdk:"clusters"`
	Selector  types.Object `tfsdk:"selector"`
	Selectors types.List   `tfsdk:"selectors"`
	Selected  types.Map    `tfsdk:"selected"`
	Rejected  types.Map    `tfsdk:"rejected"`
}

func (*placementResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_placement"
}

func (*placementResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	sees := schedulingClusterAttributes()
	resp.Schema = schema.Schema{
		MarkdownDescription: "Chooses clusters of a fleet, and says why the others are not chosen. The decision is made at plan, as far " +
			"as what it depends on is known, and contacts no cluster. It cannot be imported and need not be: a new one decides the same.",
		Attributes: map[string]schema.Attribute{
			"clusters": schedulingClustersAttribute("Clusters to choose from: `fleet_cluster` with `for_each`, the `selected` of " +
				"another placement, or a map written by hand. May be empty."),
			"selector":  selectorAttribute("Which clusters to choose. All that is set must hold. Without any selector, all are chosen.", sees),
			"selectors": selectorsAttribute("Further selectors: a cluster is chosen that `selector` or one of these matches.", sees),
			"selected": schema.MapAttribute{
				MarkdownDescription: "The chosen clusters, as they stand in `clusters`. Takes the place of `clusters` in `fleet_manifest` and " +
					"in another `fleet_placement`.",
				Computed:    true,
				ElementType: clusterObjectType(sees),
			},
			"rejected": schema.MapAttribute{
				MarkdownDescription: "The other clusters, each with the reason as a sentence. With several selectors it has the reason of each, " +
					"numbered from 1, `selector` before `selectors`.",
				Computed:    true,
				ElementType: types.StringType,
			},
		},
	}
}

func (*placementResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan placementModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(plan.decide(ctx)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("selected"), plan.Selected)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("rejected"), plan.Rejected)...)
}

func (*placementResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.Diagnostics.Append(settlePlacement(ctx, req.Plan, &resp.State)...)
}

// Read leaves the decision as it is: all there is to read is in the state.
func (*placementResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (*placementResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.Append(settlePlacement(ctx, req.Plan, &resp.State)...)
}

// Delete has nothing to undo; the framework removes the state.
func (*placementResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// settlePlacement decides with all that is known by now.
func settlePlacement(ctx context.Context, plan tfsdk.Plan, state *tfsdk.State) diag.Diagnostics {
	var model placementModel
	diags := plan.Get(ctx, &model)
	if diags.HasError() {
		return diags
	}
	// Terraform plans once more right before it applies, so the warnings were given.
	diags.Append(model.decide(ctx).Errors()...)
	if !diags.HasError() {
		diags.Append(state.Set(ctx, model)...)
	}
	return diags
}
