package provider

import "github.com/hashicorp/terraform-plugin-framework/types"

// placementModel is a placement in configuration, plan and state.
type placementModel struct {
	Clusters         types.Map    `tfsdk:"clusters"`
	Selector         types.Object `tfsdk:"selector"`
	Selectors        types.List   `tfsdk:"selectors"`
	RequiredAPIs     types.List   `tfsdk:"required_apis"`
	Tolerations      types.List   `tfsdk:"tolerations"`
	Now              types.String `tfsdk:"now"`
	NumberOfClusters types.Int64  `tfsdk:"number_of_clusters"`
	Spread           types.List   `tfsdk:"spread"`
	Prioritizers     types.List   `tfsdk:"prioritizers"`
	BalanceOver      types.List   `tfsdk:"balance_over"`
	Affinities       types.List   `tfsdk:"affinities"`
	Failover         types.String `tfsdk:"failover"`
	Failback         types.Bool   `tfsdk:"failback"`
	Lost             types.Set    `tfsdk:"lost"`
	Groups           types.List   `tfsdk:"groups"`
	Weights          types.Object `tfsdk:"weights"`

	Selected types.Map    `tfsdk:"selected"`
	Rejected types.Map    `tfsdk:"rejected"`
	Scores   types.Map    `tfsdk:"scores"`
	Affinity types.String `tfsdk:"affinity"`
	Changes  types.List   `tfsdk:"changes"`
}

// The items of a placement's lists, in configuration.
type (
	tolerationModel struct {
		Key      types.String `tfsdk:"key"`
		Operator types.String `tfsdk:"operator"`
		Value    types.String `tfsdk:"value"`
		Effect   types.String `tfsdk:"effect"`
		Seconds  types.Int64  `tfsdk:"toleration_seconds"`
	}
	spreadModel struct {
		Key               types.String `tfsdk:"topology_key"`
		Type              types.String `tfsdk:"topology_type"`
		MaxSkew           types.Int64  `tfsdk:"max_skew"`
		MinGroups         types.Int64  `tfsdk:"min_groups"`
		MaxGroups         types.Int64  `tfsdk:"max_groups"`
		WhenUnsatisfiable types.String `tfsdk:"when_unsatisfiable"`
	}
	prioritizerModel struct {
		Type     types.String `tfsdk:"type"`
		Weight   types.Int64  `tfsdk:"weight"`
		Property types.String `tfsdk:"property"`
		CEL      types.String `tfsdk:"cel"`
	}
	affinityModel struct {
		Name     types.String `tfsdk:"name"`
		Selector types.Object `tfsdk:"selector"`
	}
	groupModel struct {
		Name     types.String `tfsdk:"name"`
		Selector types.Object `tfsdk:"selector"`
		Size     types.String `tfsdk:"size"`
	}
	weightsModel struct {
		By     types.String `tfsdk:"by"`
		Min    types.Int64  `tfsdk:"min_replicas"`
		Max    types.Int64  `tfsdk:"max_replicas"`
		Static types.List   `tfsdk:"static"`
	}
	staticWeightModel struct {
		Selector types.Object `tfsdk:"selector"`
		Weight   types.Int64  `tfsdk:"weight"`
		Min      types.Int64  `tfsdk:"min_replicas"`
		Max      types.Int64  `tfsdk:"max_replicas"`
	}
)
