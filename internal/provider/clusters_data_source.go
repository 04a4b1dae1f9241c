package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

var (
	_ datasource.DataSourceWithConfigure      = (*clustersDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*clustersDataSource)(nil)
)

func newClustersDataSource() datasource.DataSource { return &clustersDataSource{} }

// clustersDataSource lists the clusters that somebody else keeps.
type clustersDataSource struct {
	data *providerData
}

// clustersModel is the data source in configuration and state.
type clustersModel struct {
	Hub             types.Object `tfsdk:"hub"`
	Contexts        types.List   `tfsdk:"contexts"`
	ClusterProfiles types.Object `tfsdk:"cluster_profiles"`
	Selector        types.Object `tfsdk:"selector"`
	Unreachable     types.String `tfsdk:"unreachable"`

	Clusters types.Map `tfsdk:"clusters"`
	Rejected types.Map `tfsdk:"rejected"`
	Silent   types.Map `tfsdk:"silent"`
}

func (d *clustersDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_clusters"
}

func (d *clustersDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = clustersSchema()
}

func (d *clustersDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.data = configured(req.ProviderData, &resp.Diagnostics)
}

func (d *clustersDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var model clustersModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	_, diags := model.selector(ctx)
	resp.Diagnostics.Append(diags...)
	hub := connectionReader{attributes: model.Hub.Attributes(), known: true}
	executor := cluster.Connection{OCM: &cluster.OCM{Hub: "hub", Cluster: "cluster", Executor: hub.text("executor")}}
	for _, problem := range executor.Check() {
		resp.Diagnostics.AddAttributeError(path.Root("hub").AtName("executor"), "Invalid executor", sentence(problem.Message))
	}
}

func (m clustersModel) selector(ctx context.Context) (*placement.Selector, diag.Diagnostics) {
	return compileSelector(ctx, path.Root("selector"), m.Selector, namesOf(schedulingClusterAttributes()))
}

func (d *clustersDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model clustersModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	listing, err := d.list(withLogging(ctx), model)
	if err != nil {
		resp.Diagnostics.Append(clusterDiagnostics(err, path.Empty())...)
		return
	}
	resp.Diagnostics.Append(model.choose(ctx, listing)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

func (d *clustersDataSource) list(ctx context.Context, model clustersModel) (cluster.Listing, error) {
	switch {
	case !model.Hub.IsNull():
		r := connectionReader{attributes: model.Hub.Attributes(), known: true}
		return d.data.pool.ListHub(ctx, cluster.OCM{Hub: r.text("connection"), Executor: r.text("executor")})
	case !model.Contexts.IsNull():
		var names []fleet.Glob
		for _, text := range textsOf(model.Contexts) {
			names = append(names, fleet.NewGlob(text))
		}
		return d.data.pool.ListContexts(ctx, names)
	}
	r := connectionReader{attributes: model.ClusterProfiles.Attributes(), known: true}
	from := cluster.Profiles{Connection: r.text("connection"), Namespace: r.text("namespace"), Provider: r.text("access_provider")}
	if exec, ok := read[types.Object](&r, "exec"); ok {
		inner := connectionReader{attributes: exec.Attributes(), known: true}
		from.Exec = &cluster.Exec{APIVersion: inner.text("api_version"), Command: inner.text("command"), Args: inner.texts("args")}
	}
	return d.data.pool.ListProfiles(ctx, from)
}

// choose records those of the listed clusters that the selector matches.
func (m *clustersModel) choose(ctx context.Context, listing cluster.Listing) diag.Diagnostics {
	selector, diags := m.selector(ctx)
	if diags.HasError() {
		return diags
	}
	var selectors []*placement.Selector
	if selector != nil {
		selectors = append(selectors, selector)
	}
	decision, err := placement.Select(selectors, listing.Clusters, nil)
	if err != nil {
		diags.AddAttributeError(path.Root("selector"), "The selector cannot be evaluated", err.Error())
		return diags
	}
	if len(decision.Warnings) > 0 {
		diags.AddAttributeWarning(path.Root("selector"), "The selector names clusters that are not listed", strings.Join(decision.Warnings, "\n"))
	}
	clusters, rejected, silent := map[string]attr.Value{}, map[string]attr.Value{}, map[string]attr.Value{}
	for name, why := range listing.Left {
		rejected[name] = types.StringValue(why)
	}
	for name, why := range decision.Rejected {
		rejected[name] = types.StringValue(why)
	}
	for _, c := range listing.Clusters {
		if _, out := rejected[c.Name]; out {
			continue
		}
		if c.Unreachable = fleet.UnreachablePolicy(m.Unreachable.ValueString()); c.Unreachable == "" {
			c.Unreachable = fleet.UnreachableError
		}
		value, d := clusterValue(ctx, c)
		diags.Append(d...)
		clusters[c.Name] = value
		if why, ok := listing.Silent[c.Name]; ok {
			silent[c.Name] = types.StringValue(why)
		}
	}
	m.Clusters = types.MapValueMust(clusterObjectType(schedulingClusterAttributes()), clusters)
	m.Rejected = types.MapValueMust(types.StringType, rejected)
	m.Silent = types.MapValueMust(types.StringType, silent)
	return diags
}

// clusterValue is a cluster as an object of the scheduling type; what is not known of it is null.
func clusterValue(ctx context.Context, c fleet.Cluster) (types.Object, diag.Diagnostics) {
	var diags diag.Diagnostics
	object := clusterObjectType(schedulingClusterAttributes())
	values := map[string]attr.Value{
		"name": orNull(c.Name), "uid": orNull(c.UID), "minor": orNull(c.Minor), "access": orNull(c.Access), "mode": orNull(string(c.Mode)),
		"unreachable": orNull(string(c.Unreachable)), "kubernetes_version": orNull(c.KubernetesVersion), "platform": orNull(c.Platform),
		"reachable": types.BoolValue(c.Reachable),
		"group":     types.StringNull(), "weight": types.Int64Null(), "min_replicas": types.Int64Null(), "max_replicas": types.Int64Null(),
	}
	from := func(into map[string]attr.Value, name string, t attr.Type, value any) {
		target, ok := t.(attr.TypeWithElementType)
		if !ok {
			diags.AddError("Unexpected type of a cluster's attribute", fmt.Sprintf("%s is %T. Please report this to the provider's developers.", name, t))
			return
		}
		var d diag.Diagnostics
		switch v := value.(type) {
		case map[string]string:
			if into[name] = types.MapNull(target.ElementType()); v != nil {
				into[name], d = types.MapValueFrom(ctx, target.ElementType(), v)
			}
		case []string:
			if into[name] = types.ListNull(target.ElementType()); v != nil {
				into[name], d = types.ListValueFrom(ctx, target.ElementType(), v)
			}
		}
		diags.Append(d...)
	}
	from(values, "labels", object.AttrTypes["labels"], c.Labels)
	from(values, "properties", object.AttrTypes["properties"], c.Properties)
	values["taints"] = taintsValue(c.Taints)
	values["facts"] = types.ObjectNull(factTypes())
	if c.Facts.Claims != nil {
		facts := map[string]attr.Value{"nodes": types.Int64Null()}
		for name, value := range map[string]any{"allocatable": c.Facts.Allocatable, "claims": c.Facts.Claims, "regions": c.Facts.Regions, "zones": c.Facts.Zones, "apis": c.Facts.APIs} {
			from(facts, name, factTypes()[name], value)
		}
		value, d := types.ObjectValue(factTypes(), facts)
		diags.Append(d...)
		values["facts"] = value
	}
	value, d := types.ObjectValue(object.AttrTypes, values)
	diags.Append(d...)
	return value, diags
}
