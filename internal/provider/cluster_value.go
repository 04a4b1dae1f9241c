package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// clustersFromMap reads the attribute clusters, of the stable or of the scheduling type. What is unknown about a
// cluster stands under its name, with the attributes' names as fields; an element that is unknown as a whole has
// every attribute unknown. A map that is unknown as a whole gives no clusters: the caller asks for that first.
func clustersFromMap(ctx context.Context, m types.Map) (map[string]fleet.Cluster, map[string]placement.Unknown, diag.Diagnostics) {
	var diags diag.Diagnostics
	elements := m.Elements()
	clusters := make(map[string]fleet.Cluster, len(elements))
	unknown := make(map[string]placement.Unknown)
	for key, element := range elements {
		at := path.Root("clusters").AtMapKey(key)
		if key == "" {
			diags.AddAttributeError(at, "No name", "A key of clusters is empty. Keys are the names of clusters.")
			continue
		}
		object, ok := element.(types.Object)
		if !ok || object.IsNull() {
			diags.AddAttributeError(at, "No cluster",
				fmt.Sprintf("The element %q of clusters is null. Leave the element out, or give at least { name = %q }.", key, key))
			continue
		}
		reader := readerOf(object, at)
		if object.IsUnknown() {
			for name := range object.AttributeTypes(ctx) {
				reader.unknown[placement.Part{Field: name}] = true
			}
		}
		clusters[key] = reader.cluster(key)
		if len(reader.unknown) > 0 {
			unknown[key] = reader.unknown
		}
		diags.Append(reader.diags...)
	}
	return clusters, unknown, diags
}

// clusterReader reads one cluster object, attribute by attribute, because the framework's reflection into structs
// knows neither unknown parts nor types with fewer attributes.
type clusterReader struct {
	at         path.Path
	attributes map[string]attr.Value
	unknown    placement.Unknown
	diags      diag.Diagnostics
}

func readerOf(object types.Object, at path.Path) clusterReader {
	return clusterReader{at: at, attributes: object.Attributes(), unknown: placement.Unknown{}}
}

func (r *clusterReader) cluster(key string) fleet.Cluster {
	name := r.text("name")
	// The name is the key even where it is not known yet: it is an error for it to become something else.
	delete(r.unknown, placement.Part{Field: "name"})
	if name != "" && name != key {
		r.diags.AddAttributeError(r.at.AtName("name"), "The key of a cluster is not its name",
			fmt.Sprintf("The element %q of clusters has the name %q. Keys and names must be equal, so that no cluster stands in "+
				"the map twice: write { for c in ... : c.name => c }.", key, name))
	}
	return fleet.Cluster{
		Name:              key,
		UID:               r.text("uid"),
		Labels:            r.texts("labels"),
		Properties:        r.texts("properties"),
		Taints:            r.taints(),
		Minor:             r.text("minor"),
		KubernetesVersion: r.text("kubernetes_version"),
		Platform:          r.text("platform"),
		Access:            r.text("access"),
		Mode:              fleet.Mode(r.textOr("mode", string(fleet.ModeActive))),
		Unreachable:       fleet.UnreachablePolicy(r.textOr("unreachable", string(fleet.UnreachableError))),
		Reachable:         r.reachable(),
		Facts:             r.facts(),
		Group:             r.text("group"),
		Weight:            r.weight(),
		MinReplicas:       r.number("min_replicas"),
		MaxReplicas:       r.bound("max_replicas"),
	}
}

// known returns an attribute that has a value, and notes one that is unknown. Types with fewer attributes lack some.
func known[T attr.Value](r *clusterReader, field string) (T, bool) {
	var none T
	value, found := r.attributes[field]
	if !found || value.IsNull() {
		return none, false
	}
	if value.IsUnknown() {
		r.unknown[placement.Part{Field: field}] = true
		return none, false
	}
	typed, ok := value.(T)
	if !ok {
		r.diags.AddAttributeError(r.at.AtName(field), "Unexpected type of a cluster's attribute",
			fmt.Sprintf("The provider expected %T and got %T. Please report this to the provider's developers.", none, value))
	}
	return typed, ok
}

func (r *clusterReader) text(field string) string { return r.textOr(field, "") }

func (r *clusterReader) textOr(field, otherwise string) string {
	if value, ok := known[types.String](r, field); ok {
		return value.ValueString()
	}
	return otherwise
}

// reachable is true where nothing says otherwise, as in a map written by hand.
func (r *clusterReader) reachable() bool {
	value, ok := known[types.Bool](r, "reachable")
	return !ok || value.ValueBool()
}

// weight is 1 where nothing says otherwise: clusters without weights get equal parts.
func (r *clusterReader) weight() int64 {
	if value, ok := known[types.Int64](r, "weight"); ok {
		return value.ValueInt64()
	}
	return 1
}

func (r *clusterReader) number(field string) int64 {
	value, _ := known[types.Int64](r, field)
	return value.ValueInt64()
}

// bound is nil where there is none.
func (r *clusterReader) bound(field string) *int64 {
	value, ok := known[types.Int64](r, field)
	if !ok {
		return nil
	}
	return value.ValueInt64Pointer()
}

// time reads an instant; zero where none is given.
func (r *clusterReader) time(field string) time.Time {
	text := r.text(field)
	if text == "" {
		return time.Time{}
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.diags.AddAttributeError(r.at.AtName(field), "Invalid time", notATime(text))
	}
	return instant
}

// texts reads a map of strings. A null value is a label that is not set.
func (r *clusterReader) texts(field string) map[string]string {
	value, ok := known[types.Map](r, field)
	if !ok {
		return nil
	}
	entries := value.Elements()
	texts := make(map[string]string, len(entries))
	for key, entry := range entries {
		if entry.IsUnknown() {
			r.unknown[placement.Part{Field: field, Entry: key}] = true
		} else if text, ok := entry.(types.String); ok && !text.IsNull() {
			texts[key] = text.ValueString()
		}
	}
	return texts
}

func (r *clusterReader) list(field string) []string {
	value, ok := known[types.List](r, field)
	if !ok {
		return nil
	}
	items := value.Elements()
	texts := make([]string, 0, len(items))
	for _, item := range items {
		if item.IsUnknown() {
			r.unknown[placement.Part{Field: field}] = true
		} else if text, ok := item.(types.String); ok && !text.IsNull() {
			texts = append(texts, text.ValueString())
		}
	}
	return texts
}

func (r *clusterReader) taints() []fleet.Taint {
	value, ok := known[types.List](r, "taints")
	if !ok {
		return nil
	}
	items := value.Elements()
	taints := make([]fleet.Taint, 0, len(items))
	for i, item := range items {
		object, ok := item.(types.Object)
		if !ok || object.IsNull() {
			continue
		}
		inner := readerOf(object, r.at.AtName("taints").AtListIndex(i))
		taints = append(taints, fleet.Taint{
			Key:    inner.text("key"),
			Value:  inner.text("value"),
			Effect: fleet.TaintEffect(inner.text("effect")),
			Added:  inner.time("added"),
		})
		if object.IsUnknown() || len(inner.unknown) > 0 {
			r.unknown[placement.Part{Field: "taints"}] = true
		}
		r.diags.Append(inner.diags...)
	}
	return taints
}

func (r *clusterReader) facts() fleet.Facts {
	object, ok := known[types.Object](r, "facts")
	if !ok {
		return fleet.Facts{}
	}
	inner := readerOf(object, r.at.AtName("facts"))
	facts := fleet.Facts{
		Nodes:       inner.number("nodes"),
		Allocatable: inner.texts("allocatable"),
		Regions:     inner.list("regions"),
		Zones:       inner.list("zones"),
		APIs:        inner.list("apis"),
		Claims:      inner.texts("claims"),
	}
	for part := range inner.unknown {
		r.unknown[placement.Part{Field: "facts", Entry: part.Field}] = true
	}
	r.diags.Append(inner.diags...)
	return facts
}
