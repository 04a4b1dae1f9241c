package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// placementOf is a placement over two clusters whose uid and the tier of one are unknown, as before a first apply.
func placementOf(t *testing.T, selectors ...map[string]attr.Value) *placementModel {
	t.Helper()
	cluster := func(labels map[string]attr.Value) attr.Value {
		return objectOf(t, schedulingCluster, map[string]attr.Value{"labels": texts(labels), "uid": types.StringUnknown()})
	}
	items := make([]attr.Value, 0, len(selectors))
	for _, given := range selectors {
		items = append(items, objectOf(t, selectorType, given))
	}
	list := types.ListNull(selectorType)
	if len(items) > 0 {
		list = types.ListValueMust(selectorType, items)
	}
	return &placementModel{
		Clusters: clusterMap(t, map[string]attr.Value{
			"eu-1": cluster(map[string]attr.Value{"region": types.StringValue("eu"), "tier": types.StringUnknown()}),
			"us-1": cluster(map[string]attr.Value{"region": types.StringValue("us"), "tier": types.StringValue("gold")}),
		}),
		Selector:  types.ObjectNull(selectorType.AttrTypes),
		Selectors: list,
	}
}

func labels(key, value string) map[string]attr.Value {
	return map[string]attr.Value{"match_labels": texts(map[string]attr.Value{key: types.StringValue(value)})}
}

func TestDecideWithUnknownParts(t *testing.T) {
	tests := map[string]struct {
		model    *placementModel
		selected []string
		// rejected holds "" for a reason that is unknown.
		rejected map[string]string
		open     bool
	}{
		"no selector": {model: placementOf(t), selected: []string{"eu-1", "us-1"}},
		"a selector that does not look there": {
			model: placementOf(t, labels("region", "eu")), selected: []string{"eu-1"},
			rejected: map[string]string{"us-1": `label region is "us", not "eu"`},
		},
		"a selector that does": {model: placementOf(t, labels("tier", "gold")), open: true},
		"a reason that is open": {
			model: placementOf(t, map[string]attr.Value{
				"match_labels": texts(map[string]attr.Value{"tier": types.StringValue("gold")}),
				"cel":          types.StringValue(`cluster.labels.region == "us"`),
			}),
			selected: []string{"us-1"}, rejected: map[string]string{"eu-1": ""},
		},
		"an unknown selector": {model: placementOf(t, map[string]attr.Value{"cel": types.StringUnknown()}), open: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diags := test.model.decide(t.Context(), nil, nil); len(diags) > 0 {
				t.Errorf("diagnostics %v", diags)
			}
			if test.model.Selected.IsUnknown() != test.open || test.model.Rejected.IsUnknown() != test.open {
				t.Fatalf("selected %s, rejected %s", test.model.Selected, test.model.Rejected)
			}
			var selected []string
			for name, element := range test.model.Selected.Elements() {
				selected = append(selected, name)
				attributes := element.(types.Object).Attributes()
				if got := attributes["name"]; !got.Equal(types.StringValue(name)) {
					t.Errorf("%s has the name %s", name, got)
				}
				if !attributes["uid"].IsUnknown() {
					t.Errorf("%s has the uid %s", name, attributes["uid"])
				}
			}
			slices.Sort(selected)
			if diff := cmp.Diff(test.selected, selected); diff != "" {
				t.Errorf("selected (-want +got):\n%s", diff)
			}
			for name, reason := range test.model.Rejected.Elements() {
				if want, ok := test.rejected[name]; !ok || (want == "") != reason.IsUnknown() || reason.(types.String).ValueString() != want {
					t.Errorf("%s is rejected with %s", name, reason)
				}
			}
			if len(test.model.Rejected.Elements()) != len(test.rejected) {
				t.Errorf("rejected %s", test.model.Rejected)
			}
		})
	}
}

// Of a cluster that is unknown as a whole nobody knows its taints.
func TestDecideWaitsForAWhollyUnknownCluster(t *testing.T) {
	model := placementOf(t, map[string]attr.Value{"names": stringList("new")})
	elements := model.Clusters.Elements()
	elements["new"] = types.ObjectUnknown(schedulingCluster.AttrTypes)
	model.Clusters = clusterMap(t, elements)
	if diags := model.decide(t.Context(), nil, nil); diags.HasError() || !model.Selected.IsUnknown() {
		t.Errorf("selected %s: %v", model.Selected, diags)
	}
	model.Selector = objectOf(t, selectorType, map[string]attr.Value{"exclude": stringList("new")})
	model.Selectors = types.ListNull(selectorType)
	if diags := model.decide(t.Context(), nil, nil); diags.HasError() || model.Selected.IsUnknown() {
		t.Errorf("selected %s: %v", model.Selected, diags)
	}
}

func TestDecideOfAnUnknownMapIsUnknown(t *testing.T) {
	model := placementOf(t)
	model.Clusters = types.MapUnknown(schedulingCluster)
	if diags := model.decide(t.Context(), nil, nil); len(diags) > 0 || !model.Selected.IsUnknown() || !model.Rejected.IsUnknown() {
		t.Errorf("diagnostics %v, selected %s, rejected %s", diags, model.Selected, model.Rejected)
	}
}

func TestDecideRefuses(t *testing.T) {
	tests := map[string]struct {
		model *placementModel
		want  string
	}{
		"an expression that fails, at its path": {
			placementOf(t, labels("region", "ap"), map[string]attr.Value{"cel": types.StringValue(`cluster.labels.nope == "a"`)}),
			"selectors[1].cel: The cel expression cannot be evaluated for clusters eu-1, us-1.\n1:15: no such key: nope\n",
		},
		"no selectors at all where a list was given": {
			func() *placementModel {
				model := placementOf(t)
				model.Selectors = types.ListValueMust(selectorType, nil)
				return model
			}(),
			"selectors: The list is empty.",
		},
		"a null selector": {
			func() *placementModel {
				model := placementOf(t)
				model.Selectors = types.ListValueMust(selectorType, []attr.Value{types.ObjectNull(selectorType.AttrTypes)})
				return model
			}(),
			"selectors[0]: The item is null.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := described(test.model.decide(t.Context(), nil, nil))
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want a beginning %q", got, test.want)
			}
		})
	}
}
