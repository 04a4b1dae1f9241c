package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ resource.Resource                   = (*policyResource)(nil)
	_ resource.ResourceWithConfigure      = (*policyResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*policyResource)(nil)
	_ resource.ResourceWithValidateConfig = (*policyResource)(nil)
)

func newPolicyResource() resource.Resource { return &policyResource{} }

// policyResource carries a policy to its clusters as a set, in the way of a fleet_manifest.
type policyResource struct {
	sets manifestResource
}

func (r *policyResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_policy"
}

func (r *policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = policySchema()
}

func (r *policyResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.sets.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (r *policyResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config fleetPolicyModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() || !config.known() {
		return
	}
	_, diags := config.define(ctx)
	resp.Diagnostics.Append(diags...)
}

// wanted is the set that the policy wants, with the definition in the model.
func (r *policyResource) wanted(ctx context.Context, m *fleetPolicyModel) (manifestModel, diag.Diagnostics) {
	if !m.known() || m.Clusters.IsUnknown() {
		m.Definition = types.StringUnknown()
		return m.carrier(ctx, types.StringUnknown())
	}
	definition, diags := m.define(ctx)
	if diags.HasError() {
		return manifestModel{}, diags
	}
	text, err := definition.JSON()
	if err != nil {
		diags.AddError("The policy cannot be written", err.Error())
		return manifestModel{}, diags
	}
	manifest, err := definition.Manifest()
	if err != nil {
		diags.AddError("The policy cannot be written", err.Error())
		return manifestModel{}, diags
	}
	m.Definition = types.StringValue(text)
	out, more := m.carrier(ctx, types.StringValue(manifest))
	diags.Append(more...)
	return out, diags
}

func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan fleetPolicyModel
	if resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...); resp.Diagnostics.HasError() {
		return
	}
	wrote := r.apply(withLogging(ctx), &plan, nil, &resp.Diagnostics)
	if resp.Diagnostics.HasError() && !wrote {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior fleetPolicyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.Append(req.State.Get(ctx, &prior)...); resp.Diagnostics.HasError() {
		return
	}
	r.apply(withLogging(ctx), &plan, &prior, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// apply runs the planned change, leaves in plan what was observed after it, and tells whether anything was written.
func (r *policyResource) apply(ctx context.Context, plan, prior *fleetPolicyModel, out *diag.Diagnostics) (wrote bool) {
	set, diags := r.wanted(ctx, plan)
	var before *manifestModel
	if prior != nil {
		known, more := prior.carrier(ctx, types.StringNull())
		diags.Append(more...)
		before = &known
	}
	if out.Append(diags...); out.HasError() {
		if prior != nil {
			*plan = *prior
		}
		return false
	}
	after, wrote := r.sets.apply(ctx, &set, before, out)
	if prior != nil && after == before {
		// It was not even begun.
		*plan = *prior
		return wrote
	}
	plan.take(*after)
	return wrote
}

func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model fleetPolicyModel
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	carrier, diags := model.carrier(ctx, types.StringNull())
	resp.Diagnostics.Append(diags...)
	if r.sets.refresh(withLogging(ctx), &carrier, &resp.Diagnostics) {
		model.take(carrier)
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

func (r *policyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model fleetPolicyModel
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	carrier, diags := model.carrier(ctx, types.StringNull())
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	if r.sets.remove(withLogging(ctx), &carrier, req, &resp.Diagnostics) {
		model.take(carrier)
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}
