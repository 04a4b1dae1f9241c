package deploy

import (
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// Checked is what can be said of texts before there is a cluster to render them for.
type Checked struct {
	// Objects are those of the texts, without what their templates yield.
	Objects  []manifest.Object
	Warnings []manifest.Warning
	// Open tells that it depends on the cluster what some of the objects are called.
	Open bool
	// Templates tells that there are templates, so that clusters get other objects than these.
	Templates bool
}

// CheckTexts checks the texts of one argument as far as that is possible without a cluster. The error joins a *manifest.Error for each
// thing that is wrong.
func CheckTexts(argument string, list []string, isTemplate, writeOnly bool) (Checked, error) {
	var checked Checked
	p := preparation{template: isTemplate, writeOnly: writeOnly, render: func(object map[string]any) (map[string]any, error) {
		if _, err := template.Inspect(object); err != nil {
			return nil, err
		}
		checked.Templates = true
		blank, named := blanked(object)
		checked.Open = checked.Open || !named
		return blank, nil
	}}
	var err error
	checked.Objects, checked.Warnings, err = manifest.Decode(argument, list).Objects(p.document)
	return checked, err
}

// blanked stands in for an object whose templates cannot be rendered yet: it lacks the fields that are templates, except that it is called
// something. named tells that what it is called is no template.
func blanked(object map[string]any) (blank map[string]any, named bool) {
	blank, _ = withoutTemplates(object).(map[string]any)
	named = true
	call := func(in, from map[string]any, key, name string) {
		if text, ok := from[key].(string); ok && strings.Contains(text, "{{") {
			in[key], named = name, false
		}
	}
	call(blank, object, "apiVersion", "v1")
	metadata, ok := object["metadata"].(map[string]any)
	if in, there := blank["metadata"].(map[string]any); ok && there {
		call(in, metadata, "name", "template")
		call(in, metadata, "namespace", "template")
	}
	return blank, named
}

func withoutTemplates(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			if text, ok := item.(string); ok && strings.Contains(text, "{{") {
				continue
			}
			out[key] = withoutTemplates(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			if text, ok := item.(string); ok && strings.Contains(text, "{{") {
				item = ""
			}
			out[i] = withoutTemplates(item)
		}
		return out
	}
	return v
}
