package deploy

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// preparation makes of a document what one cluster gets.
type preparation struct {
	// template tells whether documents are templates that do not say.
	template bool
	// writeOnly tells that what names an object must not be a template, because it stands in state and plan.
	writeOnly bool
	// render renders an object.
	render func(object map[string]any) (map[string]any, error)
}

// document prepares one document, the items of a list each by itself.
func (p preparation) document(document map[string]any) (map[string]any, []manifest.FieldError) {
	items, ok := listItems(document)
	if !ok {
		return p.object(document, p.template)
	}
	asked, errs := asks(document, p.template)
	frame := maps.Clone(document)
	delete(frame, "items")
	frame = manifest.Copy(frame)
	prepared := make([]any, len(items))
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			prepared[i] = item
			continue
		}
		one, more := p.object(object, asked)
		for _, e := range more {
			errs = append(errs, manifest.FieldError{Path: append(fieldpath.MakePathOrDie("items", i), e.Path...), Message: e.Message})
		}
		prepared[i] = one
	}
	frame["items"] = prepared
	return frame, errs
}

func (p preparation) object(object map[string]any, otherwise bool) (map[string]any, []manifest.FieldError) {
	asked, errs := asks(object, otherwise)
	if len(errs) > 0 {
		return object, errs
	}
	if !asked || !hasTemplate(object) {
		return unasked(manifest.Copy(object)), nil
	}
	if errs := p.templatedIdentity(object); len(errs) > 0 {
		return object, errs
	}
	rendered, err := p.render(object)
	if err != nil {
		return object, templateErrors(err, object)
	}
	return unasked(rendered), nil
}

// templated calls f with each object of the documents that is a template.
func (p preparation) templated(documents *manifest.Documents, f func(object map[string]any)) {
	one := func(object map[string]any, otherwise bool) {
		if asked, errs := asks(object, otherwise); asked && len(errs) == 0 && hasTemplate(object) {
			f(object)
		}
	}
	documents.Each(func(document map[string]any) {
		items, ok := listItems(document)
		if !ok {
			one(document, p.template)
			return
		}
		asked, _ := asks(document, p.template)
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				one(object, asked)
			}
		}
	})
}

// listItems are the items of what is a list of objects and no object itself.
func listItems(document map[string]any) ([]any, bool) {
	kind, _ := document["kind"].(string)
	items, ok := document["items"].([]any)
	metadata, _ := document["metadata"].(map[string]any)
	_, named := metadata["name"]
	return items, ok && strings.HasSuffix(kind, "List") && !named
}

// asks tells whether an object wants to be taken for a template.
func asks(object map[string]any, otherwise bool) (bool, []manifest.FieldError) {
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	switch v := annotations[fleet.TemplateAnnotation].(type) {
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
		return otherwise, []manifest.FieldError{{
			Path:    fieldpath.MakePathOrDie("metadata", "annotations", fleet.TemplateAnnotation),
			Message: fmt.Sprintf("is %q; want \"true\" or \"false\"", v),
		}}
	default:
		// What is no string is said of every annotation.
		return otherwise, nil
	}
}

// unasked takes the annotation away, which is for the provider only.
func unasked(object map[string]any) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if _, ok := annotations[fleet.TemplateAnnotation].(string); !ok {
		return object
	}
	delete(annotations, fleet.TemplateAnnotation)
	if len(annotations) == 0 {
		delete(metadata, "annotations")
	}
	return object
}

func hasTemplate(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "{{")
	case map[string]any:
		for _, item := range v {
			if hasTemplate(item) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if hasTemplate(item) {
				return true
			}
		}
	}
	return false
}

// templatedIdentity refuses templates where they would make a plan blind: the kind of an object always, and of what is write-only all that
// names it, because no value may get into names.
func (p preparation) templatedIdentity(document map[string]any) []manifest.FieldError {
	var errs []manifest.FieldError
	metadata, _ := document["metadata"].(map[string]any)
	for _, at := range []struct {
		path  fieldpath.Path
		value any
	}{
		{fieldpath.MakePathOrDie("kind"), document["kind"]}, {fieldpath.MakePathOrDie("apiVersion"), document["apiVersion"]},
		{fieldpath.MakePathOrDie("metadata", "name"), metadata["name"]}, {fieldpath.MakePathOrDie("metadata", "namespace"), metadata["namespace"]},
	} {
		text, _ := at.value.(string)
		switch {
		case !strings.Contains(text, "{{"):
		case p.writeOnly:
			errs = append(errs, manifest.FieldError{Path: at.path, Message: "is a template; what names an object stands in state and plan, so it has to be written out"})
		case len(at.path) == 1 && *at.path[0].FieldName == "kind":
			errs = append(errs, manifest.FieldError{Path: at.path, Message: "is a template; the kind of an object has to be written out, and for other kinds on some clusters there are variants"})
		}
	}
	return errs
}

func templateErrors(err error, object map[string]any) []manifest.FieldError {
	var all template.Errors
	if !errors.As(err, &all) {
		return []manifest.FieldError{{Message: err.Error()}}
	}
	var out []manifest.FieldError
	for _, e := range all {
		rest := strings.TrimPrefix(e.Error(), fleet.FormatPath(e.Path)+", ")
		if len(e.Key) > 1 && e.Key[0] == "values" {
			rest += "; values_wo gives the values of each cluster"
		}
		at := indexed(e.Path)
		message := "of " + titleOf(object) + ", " + rest
		if len(at) < len(e.Path) {
			// The text of a document has no name for an item by its key, but people do.
			message = "(" + fleet.FormatPath(e.Path) + ") " + message
		}
		out = append(out, manifest.FieldError{Path: at, Message: message})
	}
	return out
}

// titleOf names an object as its text does.
func titleOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	kind, _ := object["kind"].(string)
	name, _ := metadata["name"].(string)
	if kind == "" || name == "" {
		return "the object"
	}
	if namespace, _ := metadata["namespace"].(string); namespace != "" {
		name = namespace + "/" + name
	}
	return kind + " " + name
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
