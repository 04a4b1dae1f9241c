package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	selectorType    = schema.SingleNestedAttribute{Attributes: selectorAttributes()}.GetType().(types.ObjectType)
	requirementType = selectorType.AttrTypes["match_expressions"].(types.ListType).ElemType.(types.ObjectType)
)

func expressions(items ...attr.Value) attr.Value {
	return types.ListValueMust(requirementType, items)
}

func TestCompileSelector(t *testing.T) {
	requirement := func(key, operator types.String, values types.List) attr.Value {
		return objectOf(t, requirementType, map[string]attr.Value{"key": key, "operator": operator, "values": values})
	}
	text := types.StringValue
	noValues := types.ListNull(types.StringType)
	tests := map[string]struct {
		given map[string]attr.Value
		// open is set where the selector is fine as far as it is known.
		open bool
		want []string
	}{
		"an empty one": {},
		"a full one": {given: map[string]attr.Value{
			"match_labels":      texts(map[string]attr.Value{"a": text("b")}),
			"match_expressions": expressions(requirement(text("a"), text("In"), stringList("b"))),
			"names":             stringList("a"),
			"exclude":           stringList(),
			"cel":               text(`cluster.minor == "1.36"`),
		}},
		"every problem at its path": {
			given: map[string]attr.Value{
				"match_labels": texts(map[string]attr.Value{"a": text("b c")}),
				"match_expressions": expressions(
					requirement(text("a"), text("Exists"), noValues), requirement(text("a"), text("Is"), noValues)),
				"cel": text("cluster.nmae"),
			},
			want: []string{
				`selector.match_labels["a"]: "b c" cannot be a label's value`,
				`selector.match_expressions[1].operator: there is no operator "Is"; want one of In, NotIn, Exists, DoesNotExist`,
				"selector.cel: 1:8: undefined field 'nmae'",
			},
		},
		"an empty list of names": {
			given: map[string]attr.Value{"names": stringList()},
			want:  []string{"selector.names: The list is empty."},
		},
		"an empty expression": {
			given: map[string]attr.Value{"cel": text(" ")},
			want:  []string{"selector.cel: The expression is empty."},
		},
		"nulls": {
			given: map[string]attr.Value{
				"match_labels":      texts(map[string]attr.Value{"a": types.StringNull()}),
				"match_expressions": expressions(types.ObjectNull(requirementType.AttrTypes)),
				"names":             types.ListValueMust(types.StringType, []attr.Value{types.StringNull()}),
			},
			want: []string{
				`selector.match_labels["a"]: The value is null.`,
				"selector.match_expressions[0]: The item is null.",
				"selector.names[0]: The item is null.",
			},
		},
		"unknown parts":          {given: map[string]attr.Value{"names": types.ListUnknown(types.StringType)}, open: true},
		"an unknown name":        {given: map[string]attr.Value{"names": types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})}, open: true},
		"an unknown label":       {given: map[string]attr.Value{"match_labels": texts(map[string]attr.Value{"a": types.StringUnknown()})}, open: true},
		"an unknown requirement": {given: map[string]attr.Value{"match_expressions": expressions(types.ObjectUnknown(requirementType.AttrTypes))}, open: true},
		"unknown values": {
			given: map[string]attr.Value{"match_expressions": expressions(requirement(text("a"), text("In"), types.ListUnknown(types.StringType)))},
			open:  true,
		},
		"one unknown value": {
			given: map[string]attr.Value{"match_expressions": expressions(
				requirement(text("a"), text("In"), types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})))},
			open: true,
		},
		"an unknown expression": {given: map[string]attr.Value{"cel": types.StringUnknown()}, open: true},
		"what is known is checked beside what is unknown": {
			given: map[string]attr.Value{
				"names": types.ListUnknown(types.StringType),
				"match_expressions": expressions(
					requirement(text("a"), text("In"), types.ListUnknown(types.StringType)), requirement(text("a"), text("In"), noValues)),
			},
			want: []string{"selector.match_expressions[1].values: operator In needs at least one value"},
		},
	}
	sees := namesOf(schedulingClusterAttributes())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			selector, diags := compileSelector(t.Context(), path.Root("selector"), objectOf(t, selectorType, test.given), sees)
			got := described(diags)
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("got %q, want beginnings %q", got, test.want)
			}
			if (selector == nil) != (test.open || len(test.want) > 0) {
				t.Errorf("got selector %v", selector)
			}
		})
	}
}

func TestCompileSelectorRefusesWhatTheResourceDoesNotSee(t *testing.T) {
	sees := namesOf(stableClusterAttributes())
	compile := func(cel string) []string {
		_, diags := compileSelector(t.Context(), path.Root("selector"),
			objectOf(t, selectorType, map[string]attr.Value{"cel": types.StringValue(cel)}), sees)
		return described(diags)
	}
	if got := compile(`cluster.minor == "1.36" && cluster.labels.a == "b"`); got != nil {
		t.Errorf("got %q", got)
	}
	want := "selector.cel: The expression looks at facts, platform of the cluster, which this resource does not take"
	if got := compile(`cluster.facts.nodes > 3 && cluster.facts.zones.size() > 1 && cluster.platform == ""`); len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got %q", got)
	}
}

// The words of the two packages must be the same, or selectors would find fields missing.
func TestEveryFieldOfCELIsAnAttribute(t *testing.T) {
	_, diags := compileSelector(t.Context(), path.Root("selector"), objectOf(t, selectorType, map[string]attr.Value{
		"match_labels": texts(map[string]attr.Value{"a": types.StringValue("b")}),
		"names":        stringList("a"),
		"cel":          types.StringValue("cluster == cluster"),
	}), namesOf(schedulingClusterAttributes()))
	if diags.HasError() {
		t.Error(diags)
	}
}
