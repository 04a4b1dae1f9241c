package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// checkTexts checks the texts of one argument as far as that is possible without a cluster. open tells that the objects are not all of them, or
// that the cluster decides what they are called.
func (m manifestModel) checkTexts(argument string, at path.Path, list types.List) (objects []manifest.Object, open bool, diags diag.Diagnostics) {
	if !whollyKnown(list) || m.Template.IsUnknown() {
		return nil, true, nil
	}
	checked, err := deploy.CheckTexts(argument, textsOf(list), m.Template.ValueBool(), false)
	diags.Append(textDiagnostics(err, "Invalid manifest")...)
	for _, w := range checked.Warnings {
		diags.AddAttributeWarning(at.AtListIndex(w.Position.Manifest), "Server-side fields left out of a manifest", w.String())
	}
	if err == nil && !checked.Open {
		diags.Append(textDiagnostics(manifest.CheckDuplicates(checked.Objects, m.Namespace.ValueString()), "An object stands twice in the set")...)
	}
	for _, o := range checked.Objects {
		if o.IsSecret() && !m.SecretsInState.ValueBool() && !m.SecretsInState.IsUnknown() {
			diags.AddAttributeError(at.AtListIndex(o.Position.Manifest), "A Secret in manifests",
				fmt.Sprintf("%s: %s would stand in the state and in saved plans with its values, because Terraform stores configured arguments as they are. "+
					"Move it to manifests_wo, which Terraform never stores, or set secrets_in_state = true to accept that.", o.Position, o.Key))
		}
	}
	return checked.Objects, checked.Open || err != nil, diags
}

// checkRendering checks what makes the difference between clusters, and returns the objects of all texts. open is as in checkTexts.
func (m manifestModel) checkRendering() (objects []manifest.Object, open bool, diags diag.Diagnostics) {
	objects, open, diags = m.checkTexts(deploy.ArgumentManifests, path.Root("manifests"), m.Manifests)
	open = open || m.Variants.IsUnknown()
	for i, element := range m.Variants.Elements() {
		variant, ok := element.(types.Object)
		if !ok || variant.IsUnknown() {
			open = true
			continue
		}
		at := path.Root("variants").AtListIndex(i)
		if variant.IsNull() {
			diags.AddAttributeError(at, "Invalid variant", at.String()+": The item is null. Leave it out.")
			continue
		}
		list, _ := variant.Attributes()["manifests"].(types.List)
		more, openToo, d := m.checkTexts(deploy.VariantArgument(i), at.AtName("manifests"), list)
		objects, open = append(objects, more...), open || openToo
		diags.Append(d...)
	}
	return objects, open, diags
}

// checkOverrides finds what is wrong with overrides whatever the clusters and the objects are.
func (m manifestModel) checkOverrides(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	for i, element := range m.Overrides.Elements() {
		if !whollyKnown(element) {
			continue
		}
		one, d := overrideOf(ctx, path.Root("overrides").AtListIndex(i), element)
		// Selectors and targets are checked where they stand in the schema.
		if d.HasError() {
			diags.Append(d.Errors()...)
			continue
		}
		if problems := override.Check(one.Rule); len(problems) > 0 {
			diags.Append(renderDiagnostics([]error{&override.InvalidRuleError{Rule: i, Problems: problems}})...)
		}
	}
	return diags
}
