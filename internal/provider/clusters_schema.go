package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func clustersSchema() schema.Schema {
	required := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}}
	}
	optional := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}}
	}
	texts := func(description string) schema.Attribute {
		return schema.MapAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
	}
	return schema.Schema{
		MarkdownDescription: "Lists the clusters of a fleet that somebody else keeps: those of a hub of Open Cluster Management (such as a KubeStellar inventory and transport space), contexts of kubeconfig files, or ClusterProfiles of SIG Multicluster. " +
			"The map it yields is what `fleet_placement.clusters` and `fleet_manifest.clusters` take.\n\n" +
			"Unlike a `fleet_cluster`, a cluster that is listed is not held on to: one that is not listed any more leaves the sets with the next apply, and one that was set up anew is taken for what it is. " +
			"Nothing is drained before its infrastructure goes. Exactly one of `hub`, `contexts` and `cluster_profiles` is given.",
		Attributes: map[string]schema.Attribute{
			"hub": schema.SingleNestedAttribute{
				MarkdownDescription: "The clusters that a hub of Open Cluster Management has accepted, by one LIST. They are reached through the hub. `labels` are the ManagedCluster's, `properties` its cluster claims, `taints` its taints but for those by which the hub tells that a cluster does not answer.",
				Optional:            true,
				Validators: []validator.Object{objectvalidator.ExactlyOneOf(
					path.MatchRoot("hub"), path.MatchRoot("contexts"), path.MatchRoot("cluster_profiles"))},
				Attributes: map[string]schema.Attribute{
					"connection": required("Name of the hub's connection, which is looked up as that of a cluster."),
					"executor":   optional("Service account on the sites, as `namespace/name`, with whose permissions the agents apply. By default they apply with their own."),
				},
			},
			"contexts": schema.ListAttribute{
				MarkdownDescription: "Names of contexts in the provider's `kubeconfig_paths`; `*` and `?` are wildcards. Each cluster is asked who it is.",
				Optional:            true, ElementType: types.StringType,
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
			},
			"cluster_profiles": schema.SingleNestedAttribute{
				MarkdownDescription: "The clusters that have a ClusterProfile (`multicluster.x-k8s.io/v1alpha1`). Each is reached at the address in its profile and asked who it is. Credentials come from `exec`, or from the provider's `connections` under the profile's name. " +
					"`labels` and `properties` are the profile's.",
				Optional: true,
				Attributes: map[string]schema.Attribute{
					"connection":      required("Name of the connection of the cluster that has the profiles, which is looked up as that of a cluster."),
					"namespace":       required("Namespace of the profiles."),
					"access_provider": optional("Which of the `accessProviders` of a profile to use. Defaults to the only one."),
					"exec": schema.SingleNestedAttribute{
						MarkdownDescription: execDescription,
						Optional:            true,
						Attributes: map[string]schema.Attribute{
							"api_version": schema.StringAttribute{MarkdownDescription: apiVersionDescription, Required: true},
							"command":     schema.StringAttribute{MarkdownDescription: commandDescription, Required: true},
							"args":        schema.ListAttribute{MarkdownDescription: argsDescription, Optional: true, ElementType: types.StringType},
						},
					},
				},
			},
			"selector": dataAttribute(selectorAttribute("Which of them to list. All that is set must hold. Without, all.", schedulingClusterAttributes())),
			"unreachable": schema.StringAttribute{
				MarkdownDescription: "What sets do at apply with a listed cluster that does not answer: `error`, the default, or `defer`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(string(fleet.UnreachableError), string(fleet.UnreachableDefer))},
			},
			"clusters": schema.MapNestedAttribute{
				MarkdownDescription: "The clusters, by name.", Computed: true,
				NestedObject: schema.NestedAttributeObject{Attributes: computedAttributes(schedulingClusterAttributes())},
			},
			"rejected": texts("Those that are not in `clusters`, with the reason: what of the selector does not hold, or why the cluster cannot be used."),
			"silent":   texts("Those in `clusters` that do not answer, with what is known of why."),
		},
	}
}

// computedAttributes are attributes as a data source yields them.
func computedAttributes(attributes map[string]resourceschema.Attribute) map[string]schema.Attribute {
	out := make(map[string]schema.Attribute, len(attributes))
	for name, a := range attributes {
		switch a := a.(type) {
		case resourceschema.StringAttribute:
			out[name] = schema.StringAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true}
		case resourceschema.BoolAttribute:
			out[name] = schema.BoolAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true}
		case resourceschema.Int64Attribute:
			out[name] = schema.Int64Attribute{MarkdownDescription: a.MarkdownDescription, Computed: true}
		case resourceschema.ListAttribute:
			out[name] = schema.ListAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true, ElementType: a.ElementType}
		case resourceschema.MapAttribute:
			out[name] = schema.MapAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true, ElementType: a.ElementType}
		case resourceschema.SingleNestedAttribute:
			out[name] = schema.SingleNestedAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true, Attributes: computedAttributes(a.Attributes)}
		case resourceschema.ListNestedAttribute:
			out[name] = schema.ListNestedAttribute{MarkdownDescription: a.MarkdownDescription, Computed: true,
				NestedObject: schema.NestedAttributeObject{Attributes: computedAttributes(a.NestedObject.Attributes)}}
		}
	}
	return out
}
