package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

var (
	_ datasource.DataSourceWithConfigure      = (*compareDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*compareDataSource)(nil)
)

func newCompareDataSource() datasource.DataSource { return &compareDataSource{} }

// compareDataSource compares objects over clusters.
type compareDataSource struct {
	data *providerData
}

// compareModel is the data source in configuration and state.
type compareModel struct {
	Clusters    types.Map  `tfsdk:"clusters"`
	Objects     types.List `tfsdk:"objects"`
	Targets     types.List `tfsdk:"targets"`
	IgnorePaths types.List `tfsdk:"ignore_paths"`

	Same        types.Bool `tfsdk:"same"`
	Compared    types.List `tfsdk:"compared"`
	Differences types.List `tfsdk:"differences"`
	Ties        types.List `tfsdk:"ties"`
	Unreachable types.Map  `tfsdk:"unreachable"`
	Report      types.List `tfsdk:"report"`
}

func (d *compareDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_compare"
}

func (d *compareDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = compareSchema()
}

func (d *compareDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (d *compareDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var model compareModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	if model.Objects.IsNull() && model.Targets.IsNull() {
		resp.Diagnostics.AddError("Nothing to compare", "Name single objects in objects, such as \"Deployment.apps web/web\", or choose some with targets.")
	}
	if _, diags := model.question(ctx); !model.Targets.IsUnknown() {
		resp.Diagnostics.Append(diags...)
	}
}

// question reads what is to be compared.
func (m compareModel) question(ctx context.Context) (deploy.Question, diag.Diagnostics) {
	var q deploy.Question
	var diags diag.Diagnostics
	for i, text := range textsOf(m.Objects) {
		key, err := fleet.ParseObjectKey(text)
		if err != nil {
			diags.AddAttributeError(path.Root("objects").AtListIndex(i), "Invalid object key",
				fmt.Sprintf("%v, such as \"Deployment.apps web/web\" or \"Namespace web\", as in the objects of a fleet_manifest.", err))
			continue
		}
		q.Keys = append(q.Keys, key)
	}
	for i, element := range m.Targets.Elements() {
		object, ok := element.(types.Object)
		if !ok || !whollyKnown(object) {
			continue
		}
		target, d := targetOf(ctx, object)
		diags.Append(d...)
		if target.Kind == "" {
			diags.AddAttributeError(path.Root("targets").AtListIndex(i).AtName("kind"), "No kind", "A target of fleet_compare has to say which kind is meant: every kind is read by a request of its own.")
		}
		q.Targets = append(q.Targets, target)
	}
	var d diag.Diagnostics
	q.Ignore, d = patternsOf(path.Root("ignore_paths"), m.IgnorePaths)
	diags.Append(d...)
	return q, diags
}

func (d *compareDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model compareModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	clusters, _, diags := clustersFromMap(ctx, model.Clusters)
	resp.Diagnostics.Append(diags...)
	question, diags := model.question(ctx)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	compared, problems := d.data.runner.Compare(withLogging(ctx), clusters, question)
	if failed := problems.Errors(); len(failed) > 0 {
		resp.Diagnostics.AddError("The objects cannot be compared", failed.String())
		return
	}
	if lost := problems.Warnings(); len(lost) > 0 {
		resp.Diagnostics.AddWarning(clusterCount(len(lost.Clusters()))+" could not be compared", lost.String()+"\n\nThe comparison is among the others.")
	}
	for _, key := range compared.Nowhere {
		resp.Diagnostics.AddAttributeWarning(path.Root("objects"), "Nothing to compare",
			fmt.Sprintf("%s is on none of the clusters, so they do not differ in it. If it should be somewhere, see whether kind, group, namespace and name are right.", key))
	}
	resp.Diagnostics.Append(model.record(ctx, compared)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// differenceModel, fieldModel, tieModel and voteModel are what was found, in state.
type (
	differenceModel struct {
		Object  string       `tfsdk:"object"`
		Cluster string       `tfsdk:"cluster"`
		Missing bool         `tfsdk:"missing"`
		Extra   bool         `tfsdk:"extra"`
		Fields  []fieldModel `tfsdk:"fields"`
	}
	fieldModel struct {
		Path     string       `tfsdk:"path"`
		Majority types.String `tfsdk:"majority"`
		Value    types.String `tfsdk:"value"`
	}
	tieModel struct {
		Object string       `tfsdk:"object"`
		Path   types.String `tfsdk:"path"`
		Values []voteModel  `tfsdk:"values"`
	}
	voteModel struct {
		Value    types.String `tfsdk:"value"`
		Clusters []string     `tfsdk:"clusters"`
	}
)

// record writes what was found into the computed attributes.
func (m *compareModel) record(ctx context.Context, compared deploy.Compared) diag.Diagnostics {
	differences, ties, keys := []differenceModel{}, []tieModel{}, []string{}
	same := true
	for _, c := range compared.Objects {
		keys = append(keys, c.Object.String())
		same = same && c.Same()
		for _, name := range compared.Clusters {
			one := differenceModel{Object: c.Object.String(), Cluster: name, Missing: slices.Contains(c.Missing, name), Extra: slices.Contains(c.Extra, name), Fields: []fieldModel{}}
			for _, f := range c.Fields[name] {
				one.Fields = append(one.Fields, fieldModel{Path: f.Path, Majority: orNull(f.From), Value: orNull(f.To)})
			}
			if one.Missing || one.Extra || len(one.Fields) > 0 {
				differences = append(differences, one)
			}
		}
		for _, t := range c.Ties {
			tie := tieModel{Object: c.Object.String(), Path: orNull(t.Path)}
			for _, v := range t.Values {
				tie.Values = append(tie.Values, voteModel{Value: orNull(v.Value), Clusters: v.Clusters})
			}
			ties = append(ties, tie)
		}
	}
	attributes := compareSchema().Attributes
	var diags diag.Diagnostics
	listOf := func(name string, from any) types.List {
		t, _ := attributes[name].GetType().(basetypes.ListType)
		list, d := types.ListValueFrom(ctx, t.ElemType, from)
		diags.Append(d...)
		return list
	}
	m.Differences, m.Ties = listOf("differences", differences), listOf("ties", ties)
	m.Compared, m.Report = textsValue(keys), textsValue(compared.Report())
	m.Same = types.BoolValue(same && len(compared.Unread) == 0)
	unreachable, d := types.MapValueFrom(ctx, types.StringType, compared.Unread)
	diags.Append(d...)
	m.Unreachable = unreachable
	return diags
}
