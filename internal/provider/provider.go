// Package provider speaks Terraform's protocol: schemas, plans, states and diagnostics. What it decides, it lets the
// packages below decide.
package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
)

var (
	_ provider.Provider                   = (*fleetProvider)(nil)
	_ provider.ProviderWithValidateConfig = (*fleetProvider)(nil)
)

// New returns what makes the provider.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &fleetProvider{version: version} }
}

type fleetProvider struct {
	version string
}

// providerData is what resources are configured with.
type providerData struct {
	pool   *cluster.Pool
	runner *deploy.Runner
	owner  string
	// ownerNamed tells that the owner is this configuration's own name, and not what everybody is called by default.
	ownerNamed          bool
	inventory           inventorySettings
	maxParallelClusters int
	// unreachableAfter is for how long clusters are asked that do not answer; known is false while it is unknown.
	unreachableAfter      time.Duration
	unreachableAfterKnown bool
	contacts              contacts
}

// inventorySettings say where the inventory of a set is kept on every cluster.
type inventorySettings struct {
	namespace string
	// namespaced tells that nothing outside of namespaces is asked or written.
	namespaced bool
}

// configured takes what Configure gave out. It is nil before that, as it is while Terraform validates.
func configured(data any, diags *diag.Diagnostics) *providerData {
	if data == nil {
		return nil
	}
	typed, ok := data.(*providerData)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("Got %T. Please report this to the provider's developers.", data))
	}
	return typed
}

func (p *fleetProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fleet"
	resp.Version = p.version
}

func (p *fleetProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages one fleet of Kubernetes clusters: what runs on which of them, with a plan that shows every change " +
			"by cluster, object and field.",
		Attributes: map[string]schema.Attribute{
			"kubeconfig_paths": schema.ListAttribute{
				MarkdownDescription: "Kubeconfig files, merged as kubectl merges them. A cluster that no connection names is the context of its " +
					"name. Defaults to the environment variable `KUBE_CONFIG_PATHS`, else `KUBECONFIG`, else `~/.kube/config`.",
				Optional:    true,
				ElementType: types.StringType,
			},
			"connections": schema.MapNestedAttribute{
				MarkdownDescription: "How to reach clusters, by name. Merged, attribute by attribute, with `kubeconfigs` and with the " +
					"`connect` of the cluster's resource, in this order of precedence. Takes ephemeral values, and is the place for secrets: nothing here is " +
					"written to state or plan.",
				Optional:     true,
				NestedObject: schema.NestedAttributeObject{Attributes: providerConnectionAttributes()},
			},
			"kubeconfigs": schema.MapAttribute{
				MarkdownDescription: "Texts of kubeconfig files, by the name of the cluster, as the resources of many clouds export them. The current " +
					"context counts. A host that is a loopback address yields to the `host` in the resource's `connect`.",
				Optional:    true,
				Sensitive:   true,
				ElementType: types.StringType,
			},
			"connect_timeout": schema.StringAttribute{
				MarkdownDescription: "How long a cluster may take to answer first, such as `5s`, the default. A cluster is asked once per run.",
				Optional:            true,
			},
			"unreachable_after": schema.StringAttribute{
				MarkdownDescription: "For how long a cluster that does not answer is asked again before it counts as unreachable, such as `30s`. By default it is " +
					"asked once. Needed for the automatic failover of `fleet_placement`. A run waits this long, once, for all clusters that do not answer together.",
				Optional:   true,
				Validators: []validator.String{durationValidator{}},
			},
			"max_parallel_clusters": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("How many clusters are worked on at once. Defaults to %d.", defaultMaxParallelClusters),
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"owner": schema.StringAttribute{
				MarkdownDescription: "Name of this configuration, which the clusters record with every set. Must stay the same from run to run. " +
					"Defaults to the environment variable `TFC_WORKSPACE_SLUG`, else `default`. Set it where several configurations " +
					"share clusters; without it no cluster is drained before it leaves the fleet.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthBetween(1, 250)},
			},
			"progress": schema.StringAttribute{
				MarkdownDescription: "File in which to tell how applies and destroys get on, since Terraform shows nothing of a resource while it is applied; `-` is the terminal, where the provider's process has one. " +
					"It is appended to, as JSON, an event per line, or as text where its name ends in `.txt` or `.log`. `terraform-provider-fleet watch FILE` draws the JSON.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"inventory": schema.SingleNestedAttribute{
				MarkdownDescription: "Where the clusters keep the inventory of every set.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"namespace": schema.StringAttribute{
						MarkdownDescription: "Namespace of the inventory. Defaults to `" + defaultInventoryNamespace + "`.",
						Optional:            true,
						Validators:          []validator.String{stringvalidator.LengthBetween(1, 63)},
					},
					"scope": schema.StringAttribute{
						MarkdownDescription: "`cluster` (default): objects are found by one LIST per kind in the whole cluster, and a cluster is identified by its namespace `kube-system`. " +
							"`namespaced`: nothing is asked or written outside of the namespaces of the sets' objects and of the inventory, so that a Role in each of them is all it takes. " +
							"A cluster is then identified by the inventory's namespace, which has to exist, and sets cannot have cluster-scoped objects.",
						Optional:   true,
						Validators: []validator.String{stringvalidator.OneOf(inventoryScopeCluster, inventoryScopeNamespaced)},
					},
				},
			},
		},
	}
}

func (p *fleetProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var config providerModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	_, diags := config.connectTimeout()
	resp.Diagnostics.Append(diags...)
	for name, element := range config.Connections.Elements() {
		at := path.Root("connections").AtMapKey(name)
		if object, ok := element.(types.Object); ok {
			resp.Diagnostics.Append(connectionProblems(object, at)...)
		}
	}
}

func (p *fleetProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	routeKlog(ctx)
	settings, diags := config.clusters()
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	settings.UserAgent = "terraform-provider-fleet/" + p.version
	settings.Log = clusterLog(ctx)
	if inventory := config.inventory(); inventory.namespaced {
		settings.Identity = inventory.namespace
	}

	data := &providerData{
		pool:                cluster.NewPool(settings),
		owner:               config.owner(),
		ownerNamed:          config.owner() != "" && config.owner() != defaultOwner,
		inventory:           config.inventory(),
		maxParallelClusters: defaultMaxParallelClusters,
	}
	if n := config.MaxParallelClusters; !n.IsNull() && !n.IsUnknown() {
		data.maxParallelClusters = int(n.ValueInt64())
	}
	data.unreachableAfter, data.unreachableAfterKnown = config.unreachableAfter()
	data.runner = deploy.NewRunner(data.pool, data.maxParallelClusters, p.version, deployLog(ctx))
	report, diags := config.report()
	resp.Diagnostics.Append(diags...)
	data.runner.TellProgress(report)
	resp.ResourceData, resp.DataSourceData = data, data
}

func (p *fleetProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newClusterResource, newPlacementResource, newManifestResource, newPolicyResource}
}

func (p *fleetProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newRenderedDataSource, newPolicyReportDataSource, newCompareDataSource, newClustersDataSource}
}
