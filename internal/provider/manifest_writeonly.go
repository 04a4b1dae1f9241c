package provider

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// writeOnly copies the write-only arguments from the configuration, the only place that has them.
func (m *manifestModel) writeOnly(config manifestModel) {
	m.ManifestsWO, m.ValuesWO = config.ManifestsWO, config.ValuesWO
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

// validateWriteOnly checks as much of the write-only manifests as can be without the values of their templates.
func (m manifestModel) validateWriteOnly() diag.Diagnostics {
	var diags diag.Diagnostics
	if m.ManifestsWO.IsNull() || !whollyKnown(m.ManifestsWO) {
		return diags
	}
	_, _, err := manifest.ParseWith(textsOf(m.ManifestsWO), func(document map[string]any) (map[string]any, []manifest.FieldError) {
		if errs := templatedIdentity(document); len(errs) > 0 {
			return document, errs
		}
		if _, err := template.Inspect(document); err != nil {
			return document, templateErrors(err)
		}
		return blanked(document), nil
	})
	diags.Append(manifestDiagnosticsAt(path.Root("manifests_wo"), err, "Invalid manifest")...)
	return diags
}

// writeOnlyObjects are the objects of the write-only manifests, as each cluster gets them.
func (m manifestModel) writeOnlyObjects(clusters []string) (map[string][]manifest.Object, diag.Diagnostics) {
	var diags diag.Diagnostics
	if m.ManifestsWO.IsNull() || m.writeOnlyUnknown() {
		return nil, diags
	}
	texts, values := textsOf(m.ManifestsWO), m.values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(clusters, name) {
			diags.AddAttributeWarning(path.Root("values_wo"), "Values for a cluster that the set is not on",
				fmt.Sprintf("values_wo has %q, which is not among clusters.", name))
		}
	}
	own := map[string][]manifest.Object{}
	for _, name := range clusters {
		objects, err := renderWriteOnly(texts, values[name])
		if err != nil {
			for _, d := range manifestDiagnosticsAt(path.Root("manifests_wo"), err, fmt.Sprintf("Invalid manifest for cluster %q", name)) {
				diags.Append(d)
			}
			continue
		}
		own[name] = objects
	}
	return own, diags
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

func renderWriteOnly(texts []string, values map[string]string) ([]manifest.Object, error) {
	data := map[string]any{}
	for key, text := range values {
		data[key] = text
	}
	renderer, err := template.New(map[string]any{"values": data})
	if err != nil {
		return nil, err
	}
	objects, _, err := manifest.ParseWith(texts, func(document map[string]any) (map[string]any, []manifest.FieldError) {
		if errs := templatedIdentity(document); len(errs) > 0 {
			return document, errs
		}
		rendered, err := renderer.Render(document)
		if err != nil {
			return document, templateErrors(err)
		}
		return rendered, nil
	})
	for i := range objects {
		objects[i].WriteOnly = true
	}
	return objects, err
}

// templatedIdentity refuses templates in what names an object: names stand in state and plan, where no value may be.
func templatedIdentity(document map[string]any) []manifest.FieldError {
	var errs []manifest.FieldError
	metadata, _ := document["metadata"].(map[string]any)
	for _, at := range []struct {
		path  fieldpath.Path
		value any
	}{
		{fieldpath.MakePathOrDie("apiVersion"), document["apiVersion"]}, {fieldpath.MakePathOrDie("kind"), document["kind"]},
		{fieldpath.MakePathOrDie("metadata", "name"), metadata["name"]}, {fieldpath.MakePathOrDie("metadata", "namespace"), metadata["namespace"]},
	} {
		if text, ok := at.value.(string); ok && strings.Contains(text, "{{") {
			errs = append(errs, manifest.FieldError{Path: at.path, Message: "is a template; what names an object stands in state and plan, so it has to be written out"})
		}
	}
	return errs
}

func templateErrors(err error) []manifest.FieldError {
	var all template.Errors
	if !errors.As(err, &all) {
		return []manifest.FieldError{{Message: err.Error()}}
	}
	var out []manifest.FieldError
	for _, e := range all {
		message := strings.TrimPrefix(e.Error(), fleet.FormatPath(e.Path)+", ")
		if len(e.Key) > 1 && e.Key[0] == "values" {
			message += "; values_wo gives the values of each cluster"
		}
		out = append(out, manifest.FieldError{Path: indexed(e.Path), Message: message})
	}
	return out
}

// indexed drops the end of a path from where it names an item by its key, which the text of a document does not.
func indexed(p fieldpath.Path) fieldpath.Path {
	for i, e := range p {
		if e.FieldName == nil && e.Index == nil {
			return p[:i]
		}
	}
	return p
}

// blanked stands in for a document whose templates cannot be rendered yet.
func blanked(document map[string]any) map[string]any {
	out := make(map[string]any, len(document))
	for key, v := range document {
		out[key] = blank(v)
	}
	return out
}

func blank(v any) any {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{") {
			return ""
		}
	case map[string]any:
		return blanked(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = blank(v[i])
		}
		return out
	}
	return v
}
