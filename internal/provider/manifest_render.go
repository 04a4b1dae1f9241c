package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// renderModel are the arguments that make the difference between clusters.
type renderModel struct {
	Variants  types.List `tfsdk:"variants"`
	Overrides types.List `tfsdk:"overrides"`
	Template  types.Bool `tfsdk:"template"`
}

type variantModel struct {
	Clusters  types.Object `tfsdk:"clusters"`
	Manifests types.List   `tfsdk:"manifests"`
}

type overrideModel struct {
	Clusters       types.Object `tfsdk:"clusters"`
	Target         types.Object `tfsdk:"target"`
	JSONPatch      types.String `tfsdk:"json_patch"`
	MergePatch     types.String `tfsdk:"merge_patch"`
	StrategicPatch types.String `tfsdk:"strategic_patch"`
	Images         types.Map    `tfsdk:"images"`
	Exclude        types.Bool   `tfsdk:"exclude"`
}

type imageModel struct {
	Name   types.String `tfsdk:"name"`
	Tag    types.String `tfsdk:"tag"`
	Digest types.String `tfsdk:"digest"`
}

// plain tells that every cluster gets the manifests as they are written, as far as these arguments go.
func (m renderModel) plain() bool {
	return len(m.Variants.Elements()) == 0 && len(m.Overrides.Elements()) == 0 && !m.Template.ValueBool()
}

// unknown tells whether any of these arguments is not known yet.
func (m renderModel) unknownRendering() bool {
	return !whollyKnown(m.Variants) || !whollyKnown(m.Overrides) || m.Template.IsUnknown()
}

// source is what the objects are made of. known is false where the texts or the arguments about them are not known yet.
func (m manifestModel) source(ctx context.Context) (source deploy.Source, known bool, diags diag.Diagnostics) {
	if !whollyKnown(m.Manifests) || m.unknownRendering() || m.Namespace.IsUnknown() {
		return source, false, nil
	}
	source = deploy.Source{
		WriteOnlyVersion: m.keptVersion(),
		Texts:            textsOf(m.Manifests), Fallback: !m.Manifests.IsNull(), Template: m.Template.ValueBool(), Namespace: m.Namespace.ValueString(),
	}
	if !m.writeOnlyUnknown() {
		source.WriteOnly, source.Values = textsOf(m.ManifestsWO), m.values()
	}
	var variants []variantModel
	diags.Append(m.Variants.ElementsAs(ctx, &variants, false)...)
	for i, v := range variants {
		selector, d := selectorAt(ctx, path.Root("variants").AtListIndex(i), v.Clusters)
		diags.Append(d...)
		source.Variants = append(source.Variants, deploy.Variant{Clusters: selector, Texts: textsOf(v.Manifests)})
	}
	for i, element := range m.Overrides.Elements() {
		one, d := overrideOf(ctx, path.Root("overrides").AtListIndex(i), element)
		diags.Append(d...)
		source.Overrides = append(source.Overrides, one)
	}
	return source, true, diags
}

// said is what the manifests of a state say, and its revision; nil where there are none, as after an import.
func (m manifestModel) said(ctx context.Context) (*deploy.Source, string) {
	if m.Manifests.IsNull() && m.Variants.IsNull() {
		return nil, ""
	}
	source, known, diags := m.source(ctx)
	if !known || diags.HasError() {
		return nil, ""
	}
	return &source, source.Revision()
}

// selectorAt is the selector in clusters of a list's item; nil chooses every cluster.
func selectorAt(ctx context.Context, at path.Path, clusters types.Object) (*placement.Selector, diag.Diagnostics) {
	if clusters.IsNull() {
		return nil, nil
	}
	return compileSelector(ctx, at.AtName("clusters"), clusters, namesOf(stableClusterAttributes()))
}

// overrideOf reads one override, which must be known.
func overrideOf(ctx context.Context, at path.Path, element attr.Value) (deploy.Override, diag.Diagnostics) {
	var one deploy.Override
	var model overrideModel
	object, ok := element.(types.Object)
	if !ok || object.IsNull() {
		var diags diag.Diagnostics
		diags.AddAttributeError(at, "Invalid override", at.String()+": The item is null. Leave it out.")
		return one, diags
	}
	diags := object.As(ctx, &model, basetypes.ObjectAsOptions{})
	var d diag.Diagnostics
	one.Clusters, d = selectorAt(ctx, at, model.Clusters)
	diags.Append(d...)
	one.Target, d = targetOf(ctx, model.Target)
	diags.Append(d...)
	one.Rule = override.Rule{
		JSONPatch: model.JSONPatch.ValueString(), MergePatch: model.MergePatch.ValueString(), StrategicPatch: model.StrategicPatch.ValueString(),
		Exclude: model.Exclude.ValueBool(),
	}
	if !model.Images.IsNull() {
		var images map[string]imageModel
		diags.Append(model.Images.ElementsAs(ctx, &images, false)...)
		one.Rule.Images = map[string]override.Image{}
		for name, i := range images {
			one.Rule.Images[name] = override.Image{Name: i.Name.ValueString(), Tag: i.Tag.ValueString(), Digest: i.Digest.ValueString()}
		}
	}
	return one, diags
}

// renderer prepares the rendering of a source.
func renderer(source deploy.Source) (*deploy.Renderer, diag.Diagnostics) {
	r, err := deploy.NewRenderer(source)
	return r, renderDiagnostics([]error{err})
}
