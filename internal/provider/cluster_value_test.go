package provider

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

var schedulingCluster = clusterObjectType(schedulingClusterAttributes())

// objectOf is an object of a type, with null for all attributes that are not given.
func objectOf(t *testing.T, objectType types.ObjectType, given map[string]attr.Value) types.Object {
	t.Helper()
	attributes := make(map[string]attr.Value, len(objectType.AttrTypes))
	for name, attributeType := range objectType.AttrTypes {
		null, err := attributeType.ValueFromTerraform(t.Context(), tftypes.NewValue(attributeType.TerraformType(t.Context()), nil))
		if err != nil {
			t.Fatal(err)
		}
		attributes[name] = null
	}
	maps.Copy(attributes, given)
	object, diags := types.ObjectValue(objectType.AttrTypes, attributes)
	if diags.HasError() {
		t.Fatal(diags)
	}
	return object
}

func clusterMap(t *testing.T, elements map[string]attr.Value) types.Map {
	t.Helper()
	m, diags := types.MapValue(schedulingCluster, elements)
	if diags.HasError() {
		t.Fatal(diags)
	}
	return m
}

func texts(entries map[string]attr.Value) types.Map {
	return types.MapValueMust(types.StringType, entries)
}

func stringList(items ...string) types.List {
	values := make([]attr.Value, 0, len(items))
	for _, item := range items {
		values = append(values, types.StringValue(item))
	}
	return types.ListValueMust(types.StringType, values)
}

func TestClustersFromMapReadsEveryAttribute(t *testing.T) {
	taint := schedulingCluster.AttrTypes["taints"].(types.ListType).ElemType.(types.ObjectType)
	facts := schedulingCluster.AttrTypes["facts"].(types.ObjectType)
	element := objectOf(t, schedulingCluster, map[string]attr.Value{
		"name":       types.StringValue("eu-1"),
		"uid":        types.StringValue("u"),
		"labels":     texts(map[string]attr.Value{"region": types.StringValue("eu"), "tier": types.StringNull()}),
		"properties": texts(map[string]attr.Value{"size": types.StringValue("large")}),
		"taints": types.ListValueMust(taint, []attr.Value{objectOf(t, taint, map[string]attr.Value{
			"key": types.StringValue("k"), "value": types.StringValue("v"), "effect": types.StringValue("NoSelect"),
			"added": types.StringValue("2026-01-31T13:00:00+01:00"),
		})}),
		"minor":              types.StringValue("1.36"),
		"kubernetes_version": types.StringValue("v1.36.3"),
		"platform":           types.StringValue("linux/amd64"),
		"access":             types.StringValue("{}"),
		"mode":               types.StringValue("maintenance"),
		"unreachable":        types.StringValue("defer"),
		"reachable":          types.BoolValue(false),
		"group":              types.StringValue("canary"),
		"weight":             types.Int64Value(3),
		"min_replicas":       types.Int64Value(1),
		"max_replicas":       types.Int64Value(7),
		"facts": objectOf(t, facts, map[string]attr.Value{
			"nodes":       types.Int64Value(5),
			"allocatable": texts(map[string]attr.Value{"cpu": types.StringValue("20")}),
			"regions":     stringList("eu-central-1"),
			"zones":       stringList("a", "b"),
			"apis":        stringList("v1/ConfigMap"),
		}),
	})
	got, unknown, diags := clustersFromMap(t.Context(), clusterMap(t, map[string]attr.Value{"eu-1": element}))
	seven := int64(7)
	want := map[string]fleet.Cluster{"eu-1": {
		Name: "eu-1", UID: "u", Labels: map[string]string{"region": "eu"}, Properties: map[string]string{"size": "large"},
		Taints: []fleet.Taint{{Key: "k", Value: "v", Effect: fleet.NoSelect, Added: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}},
		Minor:  "1.36", KubernetesVersion: "v1.36.3", Platform: "linux/amd64", Access: "{}",
		Mode: fleet.ModeMaintenance, Unreachable: fleet.UnreachableDefer, Reachable: false, Group: "canary", Weight: 3,
		MinReplicas: 1, MaxReplicas: &seven,
		Facts: fleet.Facts{
			Nodes: 5, Allocatable: map[string]string{"cpu": "20"}, Regions: []string{"eu-central-1"}, Zones: []string{"a", "b"},
			APIs: []string{"v1/ConfigMap"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" || len(unknown) > 0 || len(diags) > 0 {
		t.Errorf("unknown %v, diagnostics %v, clusters (-want +got):\n%s", unknown, diags, diff)
	}
}

func TestClustersFromMapFillsInDefaults(t *testing.T) {
	elements := map[string]attr.Value{"a": objectOf(t, schedulingCluster, nil)}
	got, unknown, diags := clustersFromMap(t.Context(), clusterMap(t, elements))
	want := map[string]fleet.Cluster{
		"a": {Name: "a", Mode: fleet.ModeActive, Unreachable: fleet.UnreachableError, Reachable: true, Weight: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(unknown) > 0 || len(diags) > 0 {
		t.Errorf("unknown %v, diagnostics %v, clusters (-want +got):\n%s", unknown, diags, diff)
	}
}

func TestClustersFromMapReadsTheStableType(t *testing.T) {
	stable := clusterObjectType(stableClusterAttributes())
	m := types.MapValueMust(stable, map[string]attr.Value{
		"a": objectOf(t, stable, map[string]attr.Value{"uid": types.StringUnknown(), "weight": types.Int64Value(2)}),
		"b": types.ObjectUnknown(stable.AttrTypes),
	})
	got, unknown, diags := clustersFromMap(t.Context(), m)
	if diags.HasError() || got["a"].Weight != 2 || got["b"].Name != "b" {
		t.Errorf("diagnostics %v, clusters %v", diags, got)
	}
	if !unknown["a"].Field("uid") || unknown["a"].Field("access") {
		t.Errorf("unknown of a: %v", unknown["a"])
	}
	for _, field := range []string{"uid", "access", "labels", "mode"} {
		if !unknown["b"].Field(field) {
			t.Errorf("unknown of b lacks %s: %v", field, unknown["b"])
		}
	}
}

func TestClustersFromMapTellsWhatIsUnknown(t *testing.T) {
	facts := schedulingCluster.AttrTypes["facts"].(types.ObjectType)
	taint := schedulingCluster.AttrTypes["taints"].(types.ListType).ElemType.(types.ObjectType)
	tests := map[string]struct {
		given map[string]attr.Value
		want  placement.Unknown
	}{
		"an attribute": {map[string]attr.Value{"minor": types.StringUnknown()}, placement.Unknown{{Field: "minor"}: true}},
		"a label": {
			map[string]attr.Value{"labels": texts(map[string]attr.Value{"a": types.StringUnknown(), "b": types.StringValue("1")})},
			placement.Unknown{{Field: "labels", Entry: "a"}: true},
		},
		"all labels": {map[string]attr.Value{"labels": types.MapUnknown(types.StringType)}, placement.Unknown{{Field: "labels"}: true}},
		"a fact": {
			map[string]attr.Value{"facts": objectOf(t, facts, map[string]attr.Value{"nodes": types.Int64Unknown()})},
			placement.Unknown{{Field: "facts", Entry: "nodes"}: true},
		},
		"all facts": {map[string]attr.Value{"facts": types.ObjectUnknown(facts.AttrTypes)}, placement.Unknown{{Field: "facts"}: true}},
		"a taint": {
			map[string]attr.Value{"taints": types.ListValueMust(taint, []attr.Value{types.ObjectUnknown(taint.AttrTypes)})},
			placement.Unknown{{Field: "taints"}: true},
		},
		"reachable": {map[string]attr.Value{"reachable": types.BoolUnknown()}, placement.Unknown{{Field: "reachable"}: true}},
		"the name, which is the key": {
			map[string]attr.Value{"name": types.StringUnknown(), "uid": types.StringUnknown()}, placement.Unknown{{Field: "uid"}: true},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			elements := map[string]attr.Value{"c": objectOf(t, schedulingCluster, test.given)}
			_, unknown, diags := clustersFromMap(t.Context(), clusterMap(t, elements))
			if diff := cmp.Diff(test.want, unknown["c"]); diff != "" || diags.HasError() {
				t.Errorf("diagnostics %v, unknown (-want +got):\n%s", diags, diff)
			}
		})
	}
}

func TestClustersFromMapRefuses(t *testing.T) {
	named := func(name string) attr.Value {
		return objectOf(t, schedulingCluster, map[string]attr.Value{"name": types.StringValue(name)})
	}
	taint := schedulingCluster.AttrTypes["taints"].(types.ListType).ElemType.(types.ObjectType)
	tests := map[string]struct {
		elements map[string]attr.Value
		want     string
	}{
		"a key that is not the name": {
			map[string]attr.Value{"a": named("b"), "b": named("b")},
			`clusters["a"].name: The element "a" of clusters has the name "b".`,
		},
		"a null element": {
			map[string]attr.Value{"a": types.ObjectNull(schedulingCluster.AttrTypes)},
			`clusters["a"]: The element "a" of clusters is null.`,
		},
		"a time that is none": {
			map[string]attr.Value{"a": objectOf(t, schedulingCluster, map[string]attr.Value{
				"taints": types.ListValueMust(taint, []attr.Value{objectOf(t, taint, map[string]attr.Value{"added": types.StringValue("noon")})}),
			})},
			`clusters["a"].taints[0].added: "noon" is no time.`,
		},
		"an empty key": {map[string]attr.Value{"": named("")}, `clusters[""]: A key of clusters is empty.`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, diags := clustersFromMap(t.Context(), clusterMap(t, test.elements))
			if got := described(diags); len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want one that begins with %q", got, test.want)
			}
		})
	}
}

// described prints diagnostics as "path: detail", also where the detail itself begins with the path.
func described(diags diag.Diagnostics) []string {
	var texts []string
	for _, d := range diags {
		at := ""
		if p, ok := d.(diag.DiagnosticWithPath); ok {
			at = p.Path().String() + ": "
		}
		texts = append(texts, at+strings.TrimPrefix(d.Detail(), at))
	}
	return texts
}
