package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

var (
	_ datasource.DataSource                   = renderedDataSource{}
	_ datasource.DataSourceWithValidateConfig = renderedDataSource{}
)

func newRenderedDataSource() datasource.DataSource { return renderedDataSource{} }

// renderedDataSource shows what clusters would get, without asking any.
type renderedDataSource struct{}

type renderedModel struct {
	Clusters       types.Map    `tfsdk:"clusters"`
	Manifests      types.List   `tfsdk:"manifests"`
	Namespace      types.String `tfsdk:"namespace"`
	SecretsInState types.Bool   `tfsdk:"secrets_in_state"`
	renderModel

	Objects  types.Map `tfsdk:"objects"`
	Excluded types.Map `tfsdk:"excluded"`
}

func (renderedDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_rendered"
}

func (renderedDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	arguments := manifestArguments()
	attributes := dataAttributes(manifestRendering())
	for _, name := range []string{"manifests", "namespace"} {
		attributes[name] = dataAttribute(arguments[name])
	}
	attributes["secrets_in_state"] = dataAttribute(schema.BoolAttribute{
		MarkdownDescription: "Accept objects of kind `Secret`. Terraform stores the arguments of data sources as they are, so the values of such a Secret stand in the state. Defaults to `false`: a Secret is refused.",
		Optional:            true,
	})
	attributes["clusters"] = dataAttribute(stableClustersAttribute("The clusters to render for, by name. They need not exist: a map written by hand will do, such as `{ edge-1 = { labels = { size = \"small\" } } }`."))
	attributes["objects"] = dataAttribute(schema.MapAttribute{
		MarkdownDescription: "What each cluster gets: cluster → object (`Kind[.group] [namespace/]name`) → YAML. The values of Secrets are left out. The default namespace is written into objects of kinds that, as far as Kubernetes' own kinds tell, " +
			"have namespaces.",
		ElementType: types.MapType{ElemType: types.StringType}, Computed: true,
	})
	attributes["excluded"] = dataAttribute(schema.MapAttribute{
		MarkdownDescription: "The objects that `overrides` leave out, by cluster; clusters without any are not in it.", ElementType: types.ListType{ElemType: types.StringType}, Computed: true,
	})
	resp.Schema = data.Schema{
		MarkdownDescription: "What the clusters would get of a `fleet_manifest` with the same arguments, after variants, templates and overrides. No cluster is contacted, so that tests and `terraform console` can use it. " +
			"What only the API server knows, such as defaults, is not in it.",
		Attributes: attributes,
	}
}

// set is the model as a fleet_manifest of the same arguments has it.
func (m renderedModel) set() manifestModel {
	return manifestModel{
		Clusters: m.Clusters, Manifests: m.Manifests, Namespace: m.Namespace, SecretsInState: m.SecretsInState, renderModel: m.renderModel,
		ManifestsWO: types.ListNull(types.StringType), ValuesWO: types.MapNull(types.MapType{ElemType: types.StringType}),
	}
}

func (renderedDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var config renderedModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	_, _, diags := config.set().checkRendering()
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(config.set().checkOverrides(ctx)...)
}

func (renderedDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model renderedModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.render(ctx)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

func (m *renderedModel) render(ctx context.Context) diag.Diagnostics {
	source, known, diags := m.set().source(ctx)
	clusters, _, more := clustersFromMap(ctx, m.Clusters)
	if diags.Append(more...); diags.HasError() {
		return diags
	}
	if !known {
		diags.AddError("Values are still unknown when they are read", "This is a bug in Terraform or in the provider; please report it.")
		return diags
	}
	r, more := renderer(source)
	if diags.Append(more...); diags.HasError() {
		return diags
	}
	set := deploy.Set{Clusters: clusters, UnknownAccess: map[string]bool{}, Namespace: source.Namespace}
	_, errs := set.Render(r, nil)
	if diags.Append(renderDiagnostics(errs)...); diags.HasError() {
		return diags
	}
	objects, excluded := map[string]attr.Value{}, map[string]attr.Value{}
	for _, name := range sortedNames(clusters) {
		texts := map[string]attr.Value{}
		for _, o := range set.ObjectsFor(name) {
			key, text, err := shownObject(source, o)
			if _, twice := texts[key]; err == nil && twice {
				err = errors.New("it stands more than once in the set; remove all but one")
			}
			if err != nil {
				diags.AddAttributeError(path.Root("manifests"), fmt.Sprintf("Invalid manifest for cluster %q", name), fmt.Sprintf("%s  %s: %v", name, key, err))
				continue
			}
			texts[key] = types.StringValue(text)
		}
		objects[name] = types.MapValueMust(types.StringType, texts)
		if left := set.Excluded[name]; len(left) > 0 {
			var keys []attr.Value
			for _, x := range left {
				keys = append(keys, types.StringValue(x.Key.String()))
			}
			excluded[name] = types.ListValueMust(types.StringType, keys)
		}
	}
	m.Objects = types.MapValueMust(types.MapType{ElemType: types.StringType}, objects)
	m.Excluded = types.MapValueMust(types.ListType{ElemType: types.StringType}, excluded)
	return diags
}

// hiddenValue stands where the value of a Secret would.
const hiddenValue = "(sensitive)"

// shownObject prints an object without what must not be shown.
func shownObject(source deploy.Source, o manifest.Object) (key, text string, err error) {
	body, at := o.DeepCopy(), source.InNamespace(o.Key)
	if at.Namespace != "" {
		body.SetNamespace(at.Namespace)
	}
	if entries, ok := body.Object["data"].(map[string]any); ok && o.IsSecret() {
		for name := range entries {
			entries[name] = hiddenValue
		}
	}
	printed, err := yaml.Marshal(body.Object)
	return at.String(), string(printed), err
}
