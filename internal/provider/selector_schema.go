package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// selectorAttribute takes one selector. Its expressions may look at the attributes in sees, which are those of the
// clusters that the resource takes.
func selectorAttribute(description string, sees map[string]schema.Attribute) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Attributes:          selectorAttributes(),
		Validators:          []validator.Object{selectorValidator{sees: namesOf(sees)}},
	}
}

// selectorsAttribute takes a list of selectors.
func selectorsAttribute(description string, sees map[string]schema.Attribute) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		NestedObject: schema.NestedAttributeObject{
			Attributes: selectorAttributes(),
			Validators: []validator.Object{selectorValidator{sees: namesOf(sees)}},
		},
	}
}

func namesOf(attributes map[string]schema.Attribute) []string {
	return slices.Sorted(maps.Keys(attributes))
}

func selectorAttributes() map[string]schema.Attribute {
	names := func(description string) schema.Attribute {
		return schema.ListAttribute{MarkdownDescription: description, Optional: true, ElementType: types.StringType}
	}
	return map[string]schema.Attribute{
		"match_labels": schema.MapAttribute{
			MarkdownDescription: "Labels the cluster must have, with these values.",
			Optional:            true,
			ElementType:         types.StringType,
		},
		"match_expressions": schema.ListNestedAttribute{
			MarkdownDescription: "Further conditions on labels. All must hold.",
			Optional:            true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"key": schema.StringAttribute{MarkdownDescription: "Key of the label.", Required: true},
				"operator": schema.StringAttribute{
					MarkdownDescription: "`In` (the label is set to one of the values), `NotIn` (it is not; also holds where the " +
						"label is not set), `Exists` or `DoesNotExist`.",
					Required: true,
				},
				"values": schema.ListAttribute{
					MarkdownDescription: "Values for `In` and `NotIn`.",
					Optional:            true,
					ElementType:         types.StringType,
				},
			}},
		},
		"names":   names("Names of the only clusters considered. Leave out to consider all; an empty list is an error."),
		"exclude": names("Names of clusters that are never chosen."),
		"cel": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("[CEL](https://cel.dev) expression over the variable `cluster` that yields a bool, such as "+
				"`cluster.properties[?\"size\"].orValue(\"small\") == \"large\"`. `cluster` has %s, as far as the resource's `clusters` have them. "+
				"A label or property that a cluster does not have is an error, so ask first (`\"size\" in cluster.properties && ...`) or "+
				"give a default as above. CEL's optional values and string functions can be used. An expression may cost %d CEL cost "+
				"units per cluster, which only nested loops over long lists exceed.",
				"`"+strings.Join(placement.ClusterFields(), "`, `")+"`", placement.CELCostLimit),
			Optional: true,
		},
	}
}
