package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// writeOnly reads the write-only arguments from the configuration, the only place that has them.
func (m *manifestModel) writeOnly(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	diags := config.GetAttribute(ctx, path.Root("manifests_wo"), &m.ManifestsWO)
	diags.Append(config.GetAttribute(ctx, path.Root("values_wo"), &m.ValuesWO)...)
	return diags
}

// forgetWriteOnly is the model as it may be written to the state.
func (m *manifestModel) forgetWriteOnly() {
	m.ManifestsWO, m.ValuesWO = types.ListNull(types.StringType), types.MapNull(types.MapType{ElemType: types.StringType})
}

func (m manifestModel) writeOnlyUnknown() bool {
	return !whollyKnown(m.ManifestsWO) || !whollyKnown(m.ValuesWO)
}

// writeOnlyVersion changes when what is write-only is to be sent again.
func (m manifestModel) writeOnlyVersion() string {
	return m.ManifestsWOVersion.String() + "/" + m.ValuesWOVersion.String()
}

// keptVersion is that version as a revision knows it; empty where nothing is write-only.
func (m manifestModel) keptVersion() string {
	if m.ManifestsWOVersion.IsNull() && m.ValuesWOVersion.IsNull() {
		return ""
	}
	return m.writeOnlyVersion()
}

// validateWriteOnly checks as much of the write-only manifests as can be without the values of their templates.
func (m manifestModel) validateWriteOnly() diag.Diagnostics {
	if m.ManifestsWO.IsNull() || !whollyKnown(m.ManifestsWO) {
		return nil
	}
	_, err := deploy.CheckTexts(deploy.ArgumentWriteOnly, textsOf(m.ManifestsWO), true, true)
	return textDiagnostics(err, "Invalid manifest")
}

// strayValues warns of values for clusters that the set is not on.
func (m manifestModel) strayValues(clusters map[string]fleet.Cluster) diag.Diagnostics {
	var diags diag.Diagnostics
	if m.ManifestsWO.IsNull() || m.writeOnlyUnknown() {
		return diags
	}
	for _, name := range sortedNames(m.values()) {
		if _, ok := clusters[name]; !ok {
			diags.AddAttributeWarning(path.Root("values_wo"), "Values for a cluster that the set is not on",
				fmt.Sprintf("values_wo has %q, which is not among clusters.", name))
		}
	}
	return diags
}

func (m manifestModel) values() map[string]map[string]string {
	values := map[string]map[string]string{}
	for name, element := range m.ValuesWO.Elements() {
		of := map[string]string{}
		if inner, ok := element.(types.Map); ok {
			for key, v := range inner.Elements() {
				if text, ok := v.(types.String); ok && !text.IsNull() {
					of[key] = text.ValueString()
				}
			}
		}
		values[name] = of
	}
	return values
}
