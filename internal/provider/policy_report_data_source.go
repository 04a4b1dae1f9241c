package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

var (
	_ datasource.DataSource              = (*policyReportDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*policyReportDataSource)(nil)
)

// defaultReportLimit is how many objects a report lists of one cluster.
const defaultReportLimit = 100

func newPolicyReportDataSource() datasource.DataSource { return &policyReportDataSource{} }

// policyReportDataSource judges what exists.
type policyReportDataSource struct {
	data *providerData
}

type policyReportModel struct {
	Definition types.String `tfsdk:"definition"`
	Clusters   types.Map    `tfsdk:"clusters"`
	Limit      types.Int64  `tfsdk:"limit"`
	Violations types.Map    `tfsdk:"violations"`
	Incomplete types.Map    `tfsdk:"incomplete"`
}

func (d *policyReportDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_policy_report"
}

func (d *policyReportDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = data.Schema{
		MarkdownDescription: "Which objects that exist on which clusters violate a policy today, whether the policy is carried there or not. Each object is judged as if it were written once more without a change, or, by a policy about creations only, as if it were created. " +
			"Every object of the kinds concerned is read, page by page, on each cluster. A cluster that cannot be asked is a warning.",
		Attributes: map[string]data.Attribute{
			"definition": data.StringAttribute{MarkdownDescription: "The policy: `definition` of a `fleet_policy`.", Required: true},
			"clusters":   dataAttribute(stableClustersAttribute("The clusters to ask, by name. Those in maintenance, and decommissioned ones, are left out.")),
			"limit": data.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("How many objects to list of one cluster at most. Defaults to %d.", defaultReportLimit), Optional: true,
				Validators: []validator.Int64{int64validator.Between(1, 10000)},
			},
			"violations": data.MapAttribute{
				MarkdownDescription: "What was found: cluster → object (`Kind[.group] [namespace/]name`) → messages. A cluster that was asked and has no violation has an empty entry.",
				ElementType:         types.MapType{ElemType: types.ListType{ElemType: types.StringType}}, Computed: true,
			},
			"incomplete": data.MapAttribute{
				MarkdownDescription: "Clusters of which `violations` does not tell all, and why: it could not be asked, or more objects violate the policy than `limit`.",
				ElementType:         types.StringType, Computed: true,
			},
		},
	}
}

func (d *policyReportDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (d *policyReportDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model policyReportModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	ctx = withLogging(ctx)
	definition, err := policy.Parse(model.Definition.ValueString())
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("definition"), "Not a policy", sentence(err.Error())+" Give the definition of a fleet_policy.")
		return
	}
	compiled, errs := policy.Compile(definition)
	for _, err := range errs {
		resp.Diagnostics.AddAttributeError(path.Root("definition"), "Invalid policy", sentence(err.Error()))
	}
	clusters, _, diags := clustersFromMap(ctx, model.Clusters)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	limit := defaultReportLimit
	if !model.Limit.IsNull() {
		limit = int(model.Limit.ValueInt64())
	}
	set := deploy.Set{Name: policySetPrefix + definition.Name, Owner: d.data.owner, Inventory: d.data.inventory.namespace, Clusters: clusters}
	report, problems := d.data.runner.Report(ctx, set, compiled, limit)
	if len(problems) > 0 {
		resp.Diagnostics.AddWarning(clusterCount(len(problems.Clusters()))+" could not be judged", problems.String())
	}
	model.take(report, problems)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// take writes the report into the computed attributes.
func (m *policyReportModel) take(report deploy.Report, problems deploy.Problems) {
	messages := types.ListType{ElemType: types.StringType}
	violations, incomplete := map[string]attr.Value{}, map[string]attr.Value{}
	for name, objects := range report.Violations {
		inner := map[string]attr.Value{}
		for key, texts := range objects {
			inner[key.String()] = textsValue(texts)
		}
		violations[name] = types.MapValueMust(messages, inner)
	}
	for name, n := range report.Omitted {
		incomplete[name] = types.StringValue(fmt.Sprintf("%d more objects violate the policy", n))
	}
	for _, p := range problems {
		incomplete[p.Cluster] = types.StringValue(p.Err.Error())
	}
	m.Violations = types.MapValueMust(types.MapType{ElemType: messages}, violations)
	m.Incomplete = types.MapValueMust(types.StringType, incomplete)
}
