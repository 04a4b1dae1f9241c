package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func placementSchema() schema.Schema {
	sees := schedulingClusterAttributes()
	return schema.Schema{
		MarkdownDescription: "Chooses clusters of a fleet, and says why the others are not chosen. The decision is made at plan, as far " +
			"as what it depends on is known, and contacts no cluster. What was chosen before is an input, so that as little moves as can be. " +
			"It cannot be imported and need not be: a new one decides the same where nothing was chosen before.",
		Attributes: map[string]schema.Attribute{
			"clusters": schedulingClustersAttribute("Clusters to choose from: `fleet_cluster` with `for_each`, the `selected` of " +
				"another placement, or a map written by hand. May be empty."),
			"selector":  selectorAttribute("Which clusters to choose. All that is set must hold. Without any selector, all are chosen.", sees),
			"selectors": selectorsAttribute("Further selectors: a cluster is chosen that `selector` or one of these matches.", sees),
			"required_apis": schema.ListAttribute{
				MarkdownDescription: "APIs a cluster must serve, as `group/version/Kind`, such as `apps/v1/Deployment`, and `v1/ConfigMap` in the core " +
					"group. The clusters have to `discover = [\"apis\"]`.",
				Optional:    true,
				ElementType: types.StringType,
			},
			"tolerations": tolerationsAttribute(),
			"now": schema.StringAttribute{
				MarkdownDescription: "What time it is for `toleration_seconds`: write `now = plantimestamp()`, or another time to see what will have become of the " +
					"placement then. Needed only where a taint that is tolerated for a time says when it was `added`. Write-only: the state does not keep it.",
				Optional: true, WriteOnly: true, Validators: []validator.String{timeValidator{}},
			},
			"number_of_clusters": schema.Int64Attribute{
				MarkdownDescription: "How many clusters to choose. Where fewer fit, all of them are, with a warning. By default all that fit.",
				Optional:            true,
			},
			"spread":       spreadAttribute(),
			"prioritizers": prioritizersAttribute(),
			"balance_over": schema.ListAttribute{
				MarkdownDescription: "The `selected` of other placements, over which the prioritizer `Balance` balances.",
				Optional:            true,
				ElementType:         balancedType(),
			},
			"affinities": affinitiesAttribute(),
			"failover": optionalText("Which clusters count as lost, so that another of the `affinities` is used. `manual`, the default: those named in `lost`. " +
				"A cluster that does not answer then keeps what it has, and is only not chosen anew. `automatic`: also those that do not answer; needs " +
				"`affinities`, and the provider's `unreachable_after`."),
			"failback": schema.BoolAttribute{
				MarkdownDescription: "Return to an earlier one of the `affinities` as soon as it can give what is asked for. By default the one in use stays in use.",
				Optional:            true,
			},
			"lost": schema.SetAttribute{
				MarkdownDescription: "Names of clusters that are lost: they are not chosen. Set from a variable, it is the simulation of a loss, too.",
				Optional:            true,
				ElementType:         types.StringType,
			},
			"groups":  groupsAttribute(),
			"weights": weightsAttribute(),

			"selected": schema.MapAttribute{
				MarkdownDescription: "The chosen clusters, as they stand in `clusters`, with `group` by `groups`, and with `weight`, `min_replicas` and " +
					"`max_replicas` by `weights`. Takes the place of `clusters` in `fleet_manifest` and in another `fleet_placement`.",
				Computed:    true,
				ElementType: clusterObjectType(sees),
			},
			"rejected": schema.MapAttribute{
				MarkdownDescription: "The other clusters, each with the reason as a sentence. With several selectors it has the reason of each, " +
					"numbered from 1, `selector` before `selectors`.",
				Computed:    true,
				ElementType: types.StringType,
			},
			"scores": schema.MapAttribute{
				MarkdownDescription: "Where there is a `number_of_clusters` or a `spread`: the score of each cluster that fits, as a JSON text with what each " +
					"prioritizer adds and the `total`.",
				Computed:    true,
				ElementType: types.StringType,
			},
			"affinity": schema.StringAttribute{MarkdownDescription: "Name of the one of the `affinities` in use.", Computed: true},
			"changes": schema.ListAttribute{
				MarkdownDescription: "What the last change of the chosen clusters was: which clusters left, and why, and which entered.",
				Computed:            true,
				ElementType:         types.StringType,
			},
		},
	}
}

// balancedType is the chosen clusters of another placement, of which the names are enough.
func balancedType() types.MapType {
	return types.MapType{ElemType: types.ObjectType{AttrTypes: map[string]attr.Type{"name": types.StringType}}}
}

func optionalText(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators}
}

func requiredText(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Required: true}
}

func optionalNumber(description string) schema.Int64Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Optional: true}
}

func optionalItems(description string, attributes map[string]schema.Attribute) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: description, Optional: true, NestedObject: schema.NestedAttributeObject{Attributes: attributes},
	}
}

func tolerationsAttribute() schema.ListNestedAttribute {
	return optionalItems("Taints that do not matter. Clusters have taints by what they are, too, with the effect `NoSelectIfNew`: "+
		"`fleet/unreachable` where they do not answer, and `fleet/maintenance`.", map[string]schema.Attribute{
		"key":                optionalText("Key of the taint. Without it, and with operator `Exists`, all taints are meant."),
		"operator":           optionalText("`Equal`, the default: the taint has the `value`; `Exists`: it has any."),
		"value":              optionalText("Value of the taint."),
		"effect":             optionalText("Effect of the taint: `NoSelect`, `PreferNoSelect` or `NoSelectIfNew`. Without it, all are meant."),
		"toleration_seconds": optionalNumber("For how long the taint is tolerated from when it was `added`. Without it, for ever."),
	})
}

func spreadAttribute() schema.ListNestedAttribute {
	return optionalItems("How to spread the chosen clusters over groups: a group is the clusters with the same value of a label or property. All items hold "+
		"at once.", map[string]schema.Attribute{
		"topology_key":  requiredText("Key of the label, or name of the property."),
		"topology_type": optionalText("`label`, the default, or `property`."),
		"max_skew":      optionalNumber("By how many chosen clusters a group may be ahead of the one with the fewest."),
		"min_groups":    optionalNumber("In how many groups there must be chosen clusters at least."),
		"max_groups":    optionalNumber("In how many groups there may be chosen clusters at most."),
		"when_unsatisfiable": optionalText("`DoNotSchedule`, the default: fewer clusters are chosen than asked for, and too few groups are an error; " +
			"clusters without the label or property are not chosen. `ScheduleAnyway`: the constraint is kept as far as can be, with a warning where it is not."),
	})
}

func prioritizersAttribute() schema.ListNestedAttribute {
	return optionalItems("What makes a cluster better than another, where not all are chosen. Each gives from -100 to 100, times its weight. `Steady`, `Balance` (where there is "+
		"`balance_over`) and `PreferNoSelect` count with weight 1 unless a weight is given here. On a tie what was chosen before is better, then what comes first by name.",
		map[string]schema.Attribute{
			"type": requiredText("`Steady`: 100 for what was chosen before. `Balance`: the more, the fewer of the placements in `balance_over` have chosen the cluster. " +
				"`PreferNoSelect`: -100 for a taint with that effect that is not tolerated. `ResourceAllocatableCPU`, `ResourceAllocatableMemory`: the more, the more of it the " +
				"cluster has; the clusters have to `discover = [\"capacity\"]`. `Property`: the more, the greater the number in `property`. `CEL`: the more, the greater the number that `cel` yields."),
			"weight":   optionalNumber("What the score is multiplied by, from -10 to 10. Defaults to 1; 0 disables."),
			"property": optionalText("Property with a number or a quantity such as `16Gi`, for the type `Property`. A cluster that does not have it gets 0."),
			"cel":      optionalText("[CEL](https://cel.dev) expression over the variable `cluster` that yields a number, for the type `CEL`."),
		})
}

func affinitiesAttribute() schema.ListNestedAttribute {
	return optionalItems("Ordered groups of clusters, of which one is in use: the first that can give what is asked for, such as `number_of_clusters`; without that, "+
		"one cluster. The one in use stays in use until it cannot, see `failover` and `failback`.", map[string]schema.Attribute{
		"name":     requiredText("Name of the group."),
		"selector": selectorAttribute("Which clusters are in it. Without, all.", schedulingClusterAttributes()),
	})
}

func groupsAttribute() schema.ListNestedAttribute {
	return optionalItems("Decision groups, in order, told as `group` of each cluster in `selected`. Each takes of the chosen clusters those that it matches and that no group before it took; who was in it "+
		"before, stays. What none takes is in the group `rest`. The waves of a `fleet_manifest` take clusters by their group.", map[string]schema.Attribute{
		"name":     requiredText("Name of the group."),
		"selector": selectorAttribute("Which clusters may be in it. Without, all.", schedulingClusterAttributes()),
		"size":     optionalText("How many it takes at most: a count such as `3`, or a percentage of all that are chosen such as `25%`, rounded up. Without, all."),
	})
}

func weightsAttribute() schema.SingleNestedAttribute {
	least := "The fewest replicas a cluster gets where replicas are divided."
	most := "The most replicas a cluster gets where replicas are divided."
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The clusters' shares where replicas are divided. Without, those in `clusters` are passed on.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"by":           requiredText("`equal`; `cpu`, `memory`: the allocatable CPUs, or GiB of memory, rounded, which the clusters have to `discover`; `static`: as the rules in `static` say."),
			"min_replicas": optionalNumber(least), "max_replicas": optionalNumber(most),
			"static": optionalItems("Weights by selector. The first rule that matches counts; where none does, the weight is 0.", map[string]schema.Attribute{
				"selector":     selectorAttribute("For which clusters. Without, for all.", schedulingClusterAttributes()),
				"weight":       schema.Int64Attribute{MarkdownDescription: "Share of each of the clusters.", Required: true},
				"min_replicas": optionalNumber(least), "max_replicas": optionalNumber(most),
			}),
		},
	}
}
