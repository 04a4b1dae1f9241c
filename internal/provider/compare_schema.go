package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func compareSchema() schema.Schema {
	optional := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true}
	}
	computed := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	texts := func(description string) schema.Attribute {
		return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
	}
	return schema.Schema{
		MarkdownDescription: "Compares objects over clusters: which clusters differ from most of them, in which fields, and which lack an object. It goes field by field: the majority of a field is the value " +
			"that most clusters have which have the object.\n\n" +
			"Left out are `status` and what API servers and controllers write by themselves, such as `uid`, `managedFields`, the revision of a Deployment, or the cluster IP and node ports of a Service. Data of Secrets is compared by digests " +
			"that have another salt in every run. Each cluster is asked once per kind.",
		Attributes: map[string]schema.Attribute{
			"clusters": schema.MapNestedAttribute{
				MarkdownDescription: "The clusters to compare: a map such as `fleet_cluster` with `for_each`, or `selected` of a `fleet_placement`.",
				Required:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":   optional("Name of the cluster. Must equal the map's key, and is the key when left out."),
					"uid":    optional("UID of the namespace that identifies the cluster."),
					"access": optional("The resolved connection without its secrets, as `fleet_cluster` computes it."),
					"mode":   optional("`active`, `maintenance` or `decommissioned`; only active clusters are compared."),
				}},
			},
			"objects": schema.ListAttribute{
				MarkdownDescription: "Keys of single objects, such as `Deployment.apps web/web`, as they stand in `objects` of a `fleet_manifest`.",
				Optional:            true, ElementType: types.StringType,
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
			},
			"targets": schema.ListNestedAttribute{
				MarkdownDescription: "Chooses objects; all that is given must hold.",
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"group":     optional("API group such as `apps`; `\"\"` is the core group. Defaults to the only group that has the kind."),
					"kind":      schema.StringAttribute{MarkdownDescription: "Kind, such as `Deployment`.", Required: true},
					"namespace": optional("Namespace; `*` and `?` are wildcards. Defaults to all."),
					"name":      optional("Name; `*` and `?` are wildcards. Defaults to all."),
					"match_labels": schema.MapAttribute{
						MarkdownDescription: "Labels the object must have.", Optional: true, ElementType: types.StringType,
					},
				}},
			},
			"ignore_paths": schema.ListAttribute{
				MarkdownDescription: "Fields that may differ, each with all that is below it, such as `spec.replicas` or `spec.template.spec.containers[*].image`.",
				Optional:            true, ElementType: types.StringType,
				Validators: []validator.List{listvalidator.NoNullValues()},
			},
			"same":     schema.BoolAttribute{MarkdownDescription: "Whether all clusters were compared and nothing differs.", Computed: true},
			"compared": texts("Keys of the objects that were found on any cluster, or named."),
			"report":   texts("The differences and ties as sentences, each with its clusters."),
			"unreachable": schema.MapAttribute{
				MarkdownDescription: "Clusters that could not be compared, with the reason.", Computed: true, ElementType: types.StringType,
			},
			"differences": schema.ListNestedAttribute{
				MarkdownDescription: "What is different from most clusters, one element per object and cluster.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"object":  computed("Key of the object."),
					"cluster": computed("Name of the cluster."),
					"missing": schema.BoolAttribute{MarkdownDescription: "Whether the cluster lacks the object, which most have.", Computed: true},
					"extra":   schema.BoolAttribute{MarkdownDescription: "Whether the cluster has the object, which most lack.", Computed: true},
					"fields": schema.ListNestedAttribute{
						MarkdownDescription: "The fields that differ.",
						Computed:            true,
						NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
							"path":     computed("The field."),
							"majority": computed("The value that most clusters have, as JSON; null where they lack the field."),
							"value":    computed("The value of this cluster, as JSON; null where it lacks the field."),
						}},
					},
				}},
			},
			"ties": schema.ListNestedAttribute{
				MarkdownDescription: "Fields, and objects, of which there is no majority: of two clusters that differ, neither is right.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"object": computed("Key of the object."),
					"path":   computed("The field; null where it is whether the object is there at all."),
					"values": schema.ListNestedAttribute{
						MarkdownDescription: "All values, the most frequent first.",
						Computed:            true,
						NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
							"value":    computed("The value as JSON; null where the field is absent. Of an object as a whole, `present` or `absent`."),
							"clusters": texts("The clusters that have it."),
						}},
					},
				}},
			},
		},
	}
}
