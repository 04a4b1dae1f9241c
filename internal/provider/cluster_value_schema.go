package provider

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// A map of cluster objects is what resources hand to each other. Terraform converts an object to a type that names
// fewer attributes by dropping the rest, and fills optional ones that are missing with null, so each resource names
// only what it looks at, and everything is optional: a map may also be written by hand.

// stableClustersAttribute takes clusters without what changes by itself, for resources whose plan must not change
// when a node comes or a patch release goes out.
func stableClustersAttribute(description string) schema.MapNestedAttribute {
	return clustersAttribute(description, stableClusterAttributes())
}

// schedulingClustersAttribute takes clusters with all that scheduling looks at.
func schedulingClustersAttribute(description string) schema.MapNestedAttribute {
	return clustersAttribute(description, schedulingClusterAttributes())
}

func clustersAttribute(description string, attributes map[string]schema.Attribute) schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: description,
		Required:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes},
	}
}

// clusterObjectType is the type of one cluster with these attributes.
func clusterObjectType(attributes map[string]schema.Attribute) types.ObjectType {
	object := types.ObjectType{AttrTypes: make(map[string]attr.Type, len(attributes))}
	for name, attribute := range attributes {
		object.AttrTypes[name] = attribute.GetType()
	}
	return object
}

func stableClusterAttributes() map[string]schema.Attribute {
	text := func(description string, validators ...validator.String) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators}
	}
	texts := func(description string) schema.Attribute {
		return schema.MapAttribute{MarkdownDescription: description, Optional: true, ElementType: types.StringType}
	}
	return map[string]schema.Attribute{
		"name":       text("Name of the cluster. Must equal the map's key, and is the key when left out."),
		"uid":        text("UID of the namespace that identifies the cluster, which tells a cluster from another one at the same address."),
		"labels":     texts("Labels that selectors match."),
		"properties": texts("Free-form values for templates and CEL."),
		"minor":      text("Kubernetes minor version, such as `1.36`."),
		"access":     text("The resolved connection without its secrets, as `fleet_cluster` computes it."),
		"mode": text("`active`, `maintenance` or `decommissioned`.", stringvalidator.OneOf(
			string(fleet.ModeActive), string(fleet.ModeMaintenance), string(fleet.ModeDecommissioned))),
		"unreachable": text("What sets do when the cluster does not answer: `error` or `defer`.", stringvalidator.OneOf(
			string(fleet.UnreachableError), string(fleet.UnreachableDefer))),
		"group":  text("Decision group a placement put the cluster in."),
		"weight": schema.Int64Attribute{MarkdownDescription: "Share of the cluster where replicas are divided.", Optional: true},
		"min_replicas": schema.Int64Attribute{
			MarkdownDescription: "The fewest replicas the cluster gets where replicas are divided.", Optional: true, Validators: notNegative(),
		},
		"max_replicas": schema.Int64Attribute{
			MarkdownDescription: "The most replicas the cluster gets where replicas are divided.", Optional: true, Validators: notNegative(),
		},
	}
}

func notNegative() []validator.Int64 { return []validator.Int64{int64validator.AtLeast(0)} }

func schedulingClusterAttributes() map[string]schema.Attribute {
	text := func(description string, validators ...validator.String) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators}
	}
	names := func(description string) schema.Attribute {
		return schema.ListAttribute{MarkdownDescription: description, Optional: true, ElementType: types.StringType}
	}
	texts := func(description string) schema.Attribute {
		return schema.MapAttribute{MarkdownDescription: description, Optional: true, ElementType: types.StringType}
	}
	attributes := stableClusterAttributes()
	maps.Copy(attributes, map[string]schema.Attribute{
		"taints": schema.ListNestedAttribute{
			MarkdownDescription: "Marks that keep sets away which do not tolerate them.",
			Optional:            true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"key":   text("Key of the taint."),
				"value": text("Value of the taint."),
				"effect": text("`NoSelect`, `PreferNoSelect` or `NoSelectIfNew`.", stringvalidator.OneOf(
					string(fleet.NoSelect), string(fleet.PreferNoSelect), string(fleet.NoSelectIfNew))),
				"added": text("When the cluster was tainted, such as `2026-01-31T12:00:00Z`.", timeValidator{}),
			}},
		},
		"reachable": schema.BoolAttribute{
			MarkdownDescription: "Whether the cluster answered when it was last read. Taken as true when left out.",
			Optional:            true,
		},
		"kubernetes_version": text("Kubernetes version, such as `v1.36.3`."),
		"platform":           text("Platform of the API server, such as `linux/amd64`."),
		"facts": schema.SingleNestedAttribute{
			MarkdownDescription: "What `fleet_cluster` was asked to discover.",
			Optional:            true,
			Attributes: map[string]schema.Attribute{
				"nodes": schema.Int64Attribute{MarkdownDescription: "Number of nodes.", Optional: true},
				"allocatable": schema.MapAttribute{
					MarkdownDescription: "Sum of the nodes' allocatable resources, as Kubernetes quantities.",
					Optional:            true,
					ElementType:         types.StringType,
				},
				"regions": names("Regions of the nodes."),
				"zones":   names("Zones of the nodes."),
				"apis":    names("Served APIs as `group/version/Kind`, and `v1/Kind` in the core group."),
				"claims":  texts("What a cluster behind a hub claims of itself."),
			},
		},
	})
	return attributes
}
