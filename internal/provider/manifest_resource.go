package provider

import (
	"cmp"
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
)

var (
	_ resource.Resource                   = (*manifestResource)(nil)
	_ resource.ResourceWithConfigure      = (*manifestResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*manifestResource)(nil)
	_ resource.ResourceWithValidateConfig = (*manifestResource)(nil)
	_ resource.ResourceWithImportState    = (*manifestResource)(nil)
)

func newManifestResource() resource.Resource { return &manifestResource{} }

type manifestResource struct {
	data *providerData
}

func (r *manifestResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_manifest"
}

func (r *manifestResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = manifestSchema()
}

func (r *manifestResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (r *manifestResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config manifestModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(config.validate(ctx)...)
}

func (r *manifestResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan manifestModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.Append(plan.writeOnly(ctx, req.Config)...); resp.Diagnostics.HasError() {
		return
	}
	after, wrote := r.apply(withLogging(ctx), &plan, nil, &resp.Diagnostics)
	if resp.Diagnostics.HasError() && !wrote {
		// Nothing was written anywhere, so there is nothing to remember, and nothing that could be tainted.
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, after)...)
}

func (r *manifestResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model manifestModel
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	if r.refresh(withLogging(ctx), &model, &resp.Diagnostics) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// refresh reads the set and leaves in model what was found. It is false where the state is not to be written.
func (r *manifestResource) refresh(ctx context.Context, model *manifestModel, out *diag.Diagnostics) bool {
	set, state, diags := r.known(ctx, *model)
	if out.Append(diags...); out.HasError() {
		return false
	}
	r.data.runner.NoteRead(set)
	state, problems := r.data.runner.Read(ctx, set, state)
	out.Append(readDiagnostics(problems)...)
	out.Append(model.observe(set, state, nil)...)
	return true
}

func (r *manifestResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior manifestModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(plan.writeOnly(ctx, req.Config)...)
	if resp.Diagnostics.Append(req.State.Get(ctx, &prior)...); resp.Diagnostics.HasError() {
		return
	}
	after, _ := r.apply(withLogging(ctx), &plan, &prior, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, after)...)
}

func (r *manifestResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model manifestModel
	if resp.Diagnostics.Append(req.State.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	if r.remove(withLogging(ctx), &model, req, &resp.Diagnostics) {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// remove takes the set off its clusters, as far as no successor has it. It tells whether something is left, which then stands in model.
func (r *manifestResource) remove(ctx context.Context, model *manifestModel, req resource.DeleteRequest, out *diag.Diagnostics) (left bool) {
	set, state, diags := r.known(ctx, *model)
	destroy, more := isDestroy(ctx, req)
	diags.Append(more...)
	if out.Append(diags...); out.HasError() {
		return false
	}
	if !destroy {
		stay, more := successors(ctx, req)
		if out.Append(more...); out.HasError() {
			return false
		}
		staying := deploy.State{}
		for name, c := range state {
			if stay == nil || slices.Contains(stay, name) {
				staying[name] = c
				delete(state, name)
			}
		}
		if problems := r.data.runner.HandOver(ctx, set, staying); len(problems) > 0 {
			out.AddWarning("Not every cluster knows that a successor takes over", problems.String())
		}
	}
	remains, problems := r.data.runner.Destroy(ctx, set, state)
	out.Append(destroyDiagnostics(problems, len(state), true)...)
	if len(remains) > 0 {
		out.Append(model.observe(set, remains, nil)...)
	}
	return len(remains) > 0
}

// apply runs the planned change. It returns the state that was observed after it, and whether anything was written.
func (r *manifestResource) apply(ctx context.Context, plan, prior *manifestModel, out *diag.Diagnostics) (after *manifestModel, wrote bool) {
	var state deploy.State
	var diags diag.Diagnostics
	if prior != nil {
		_, state, diags = r.known(ctx, *prior)
		out.Append(diags...)
	}
	set, unknown, diags := r.wanted(ctx, *plan, prior)
	if unknown {
		out.AddError("Values are still unknown at apply", "This is a bug in Terraform or in the provider; please report it.")
	}
	if out.Append(diags...); out.HasError() {
		plan.forgetWriteOnly()
		return cmp.Or(prior, plan), false
	}
	if set.Instance == "" {
		set.Instance = newInstance()
	}
	// What is missing of earlier revisions, the plan has said.
	r.data.runner.Assign(ctx, &set, state)
	expected, diags := plan.expected()
	out.Append(diags...)
	todo, problems := r.data.runner.Planned(ctx, set, state)
	observed, applied, ended := r.data.runner.Apply(ctx, set, state, todo, expected)
	problems = append(problems, applied...)
	result := *plan
	if result.Changes.IsUnknown() {
		result.Changes, result.PlanSummary = textsValue(todo.Sentences()), summaryValue(todo.Summary())
	}
	result.forgetWriteOnly()
	result.Revision = types.StringValue(set.Revision)
	out.Append(result.observe(set, observed, &todo)...)
	if ended != nil {
		out.Append(endedDiagnostics(ended, prior == nil && observed.Touched())...)
		problems = problems.Unexplained()
	}
	out.Append(applyDiagnostics(problems, set, prior == nil)...)
	return &result, observed.Touched()
}
