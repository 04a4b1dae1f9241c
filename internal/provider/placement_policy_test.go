package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// argument is the value of a placement's argument with items, given as their attributes.
func argument(t *testing.T, name string, given ...map[string]attr.Value) types.List {
	t.Helper()
	listType := placementSchema().Attributes[name].GetType().(types.ListType)
	items := make([]attr.Value, 0, len(given))
	for _, one := range given {
		items = append(items, objectOf(t, listType.ElemType.(types.ObjectType), one))
	}
	return types.ListValueMust(listType.ElemType, items)
}

// emptyPlacement has null for everything.
func emptyPlacement(t *testing.T) *placementModel {
	t.Helper()
	null := func(name string) attr.Value {
		attributeType := placementSchema().Attributes[name].GetType()
		value, err := attributeType.ValueFromTerraform(t.Context(), tftypes.NewValue(attributeType.TerraformType(t.Context()), nil))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	return &placementModel{
		Clusters: null("clusters").(types.Map), Selector: null("selector").(types.Object), Selectors: null("selectors").(types.List),
		RequiredAPIs: null("required_apis").(types.List), Tolerations: null("tolerations").(types.List), Spread: null("spread").(types.List),
		Prioritizers: null("prioritizers").(types.List), BalanceOver: null("balance_over").(types.List), Affinities: null("affinities").(types.List),
		Lost: null("lost").(types.Set), Groups: null("groups").(types.List), Weights: null("weights").(types.Object),
	}
}

// Something unknown in one argument leaves the others to be checked.
func TestReadPolicyWithUnknownParts(t *testing.T) {
	text, number := types.StringValue, types.Int64Value
	weights := placementSchema().Attributes["weights"].(schema.SingleNestedAttribute).GetType().(types.ObjectType)
	selector := objectOf(t, selectorType, map[string]attr.Value{"cel": types.StringUnknown()})
	tests := map[string]func(*placementModel){
		"a number": func(m *placementModel) { m.NumberOfClusters = types.Int64Unknown() },
		"an API": func(m *placementModel) {
			m.RequiredAPIs = types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})
		},
		"who is lost": func(m *placementModel) { m.Lost = types.SetUnknown(types.StringType) },
		"a lost cluster": func(m *placementModel) {
			m.Lost = types.SetValueMust(types.StringType, []attr.Value{types.StringUnknown()})
		},
		"a selector":    func(m *placementModel) { m.Selector = selector },
		"all of spread": func(m *placementModel) { m.Spread = types.ListUnknown(m.Spread.ElementType(t.Context())) },
		"a skew": func(m *placementModel) {
			m.Spread = argument(t, "spread", map[string]attr.Value{"topology_key": text("a"), "max_skew": types.Int64Unknown()})
		},
		"an affinity": func(m *placementModel) {
			m.Affinities = argument(t, "affinities", map[string]attr.Value{"name": text("a"), "selector": selector})
		},
		"a group's size": func(m *placementModel) {
			m.Groups = argument(t, "groups", map[string]attr.Value{"name": text("a"), "size": types.StringUnknown()})
		},
		"an expression": func(m *placementModel) {
			m.Prioritizers = argument(t, "prioritizers", map[string]attr.Value{"type": text("CEL"), "cel": types.StringUnknown()})
		},
		"a toleration": func(m *placementModel) {
			m.Tolerations = argument(t, "tolerations", map[string]attr.Value{"key": types.StringUnknown()})
		},
		"whether to return": func(m *placementModel) { m.Failback = types.BoolUnknown() },
		"a weight's source": func(m *placementModel) {
			m.Weights = objectOf(t, weights, map[string]attr.Value{"by": types.StringUnknown()})
		},
		"a whole item": func(m *placementModel) {
			one := argument(t, "spread", map[string]attr.Value{"topology_key": text("a"), "max_skew": number(1)})
			m.Spread = types.ListValueMust(one.ElementType(t.Context()), append(one.Elements(), types.ObjectUnknown(one.ElementType(t.Context()).(types.ObjectType).AttrTypes)))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			m := emptyPlacement(t)
			change(m)
			if r := m.readPolicy(t.Context()); r.known || len(r.diags) > 0 {
				t.Errorf("known %v, diagnostics %v", r.known, r.diags)
			}
			// What is wrong elsewhere shows all the same.
			wrong := "tolerations[0].key: The key is empty"
			if m.Tolerations.IsNull() {
				m.Tolerations = argument(t, "tolerations", map[string]attr.Value{})
			} else {
				m.Groups, wrong = argument(t, "groups", map[string]attr.Value{"name": text("")}), "groups[0].name: The name is empty."
			}
			if got := described(m.readPolicy(t.Context()).diags); len(got) != 1 || !strings.HasPrefix(got[0], wrong) {
				t.Errorf("diagnostics %q", got)
			}
		})
	}
}

func TestReadPolicyRefusesNulls(t *testing.T) {
	m := emptyPlacement(t)
	for _, into := range []*types.List{&m.Spread, &m.Affinities, &m.Groups, &m.Prioritizers, &m.Tolerations} {
		object := into.ElementType(t.Context()).(types.ObjectType)
		*into = types.ListValueMust(object, []attr.Value{types.ObjectNull(object.AttrTypes)})
	}
	got := described(m.readPolicy(t.Context()).diags)
	slices.Sort(got)
	want := []string{
		"affinities[0]: The item is null; leave it out.", "groups[0]: The item is null; leave it out.", "prioritizers[0]: The item is null; leave it out.",
		"spread[0]: The item is null; leave it out.", "tolerations[0]: The item is null; leave it out.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

// A cluster that the apply connects to counts as answering in the plan, and in the apply, whatever it then finds.
func TestDecideTakesNewClustersAsAnswering(t *testing.T) {
	fleetOf := func(reachable types.Bool, version types.String) types.Map {
		return clusterMap(t, map[string]attr.Value{
			"new":   objectOf(t, schedulingCluster, map[string]attr.Value{"reachable": reachable, "kubernetes_version": version}),
			"other": objectOf(t, schedulingCluster, nil),
		})
	}
	decide := func(clusters types.Map, data *providerData) string {
		t.Helper()
		m := emptyPlacement(t)
		m.Clusters, m.NumberOfClusters = clusters, types.Int64Value(1)
		if diags := m.decide(t.Context(), nil, data); diags.HasError() {
			t.Fatal(diags)
		}
		names := make([]string, 0, 1)
		for name := range m.Selected.Elements() {
			names = append(names, name)
		}
		if m.Selected.IsUnknown() {
			return "unknown"
		}
		return strings.Join(names, " ")
	}
	data := &providerData{}
	if got := decide(fleetOf(types.BoolUnknown(), types.StringUnknown()), data); got != "new" {
		t.Errorf("planned: %s", got)
	}
	if got := decide(fleetOf(types.BoolUnknown(), types.StringValue("v1.36.3")), data); got != "unknown" {
		t.Errorf("where something else makes it unknown: %s", got)
	}
	if got := decide(fleetOf(types.BoolValue(false), types.StringNull()), data); got != "other" {
		t.Errorf("known from an earlier run: %s", got)
	}
	data.contacts.note("new")
	if got := decide(fleetOf(types.BoolValue(false), types.StringNull()), data); got != "new" {
		t.Errorf("found out by this apply: %s", got)
	}
}
