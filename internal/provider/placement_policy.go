package provider

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// policyReader turns the configuration of a placement into a policy. An argument of which something is unknown is left
// out, and clears known; the others can be checked all the same.
type policyReader struct {
	ctx    context.Context
	sees   []string
	policy placement.Policy
	// selectors are the places of the policy's selectors.
	selectors []path.Path
	known     bool
	diags     diag.Diagnostics
}

// readPolicy reads what the configuration asks for, and checks it as far as that goes without clusters.
func (m *placementModel) readPolicy(ctx context.Context) *policyReader {
	r := &policyReader{ctx: ctx, sees: namesOf(schedulingClusterAttributes()), known: true}
	r.readSelectors(m)
	r.policy.RequiredAPIs = r.list(m.RequiredAPIs)
	r.readTolerations(m.Tolerations)
	if r.settled(m.NumberOfClusters) {
		r.policy.NumberOfClusters = m.NumberOfClusters.ValueInt64Pointer()
	}
	r.readSpread(m.Spread)
	r.readPrioritizers(m.Prioritizers)
	affinities := r.readAffinities(m.Affinities)
	if affinities && r.settled(m.Failover, m.Failback) {
		r.policy.Failover = placement.Failover(m.Failover.ValueString())
		r.policy.Failback = m.Failback.ValueBool()
	}
	r.policy.Lost = r.list(m.Lost)
	r.readGroups(m.Groups)
	r.readWeights(m.Weights)
	for _, problem := range r.policy.Check() {
		r.refuse(policyPath(problem), problem.Detail)
	}
	return r
}

func (r *policyReader) refuse(at path.Path, detail string) {
	r.diags.AddAttributeError(at, "Invalid placement", at.String()+": "+sentence(detail))
}

// policyPath is the place of a problem in the configuration.
func policyPath(problem placement.Problem) path.Path {
	at := attributePath(path.Empty(), problem.Argument)
	if problem.Index >= 0 {
		at = at.AtListIndex(problem.Index)
	}
	if problem.Field != "" {
		at = at.AtName(problem.Field)
	}
	return at
}

// settled tells whether all values are known.
func (r *policyReader) settled(values ...attr.Value) bool {
	for _, value := range values {
		if value.IsUnknown() {
			r.known = false
			return false
		}
	}
	return true
}

// list reads texts, all or none.
func (r *policyReader) list(value interface {
	attr.Value
	Elements() []attr.Value
}) []string {
	if !r.settled(value) || !r.settled(value.Elements()...) {
		return nil
	}
	texts := make([]string, 0, len(value.Elements()))
	for _, element := range value.Elements() {
		text, _ := knownText(element)
		texts = append(texts, text)
	}
	return texts
}

// items reads the objects of a list; ok is false where one is unknown, or wrong.
func items[T any](r *policyReader, at path.Path, list types.List) (values []T, ok bool) {
	ok = r.settled(list)
	for i, element := range list.Elements() {
		// Positions count, so what cannot be read is stood in for by an item without anything.
		var value T
		object, isObject := element.(types.Object)
		switch {
		case !isObject || object.IsNull():
			r.refuse(at.AtListIndex(i), "the item is null; leave it out")
			ok = false
		case !r.settled(object):
			ok = false
		default:
			diags := object.As(r.ctx, &value, basetypes.ObjectAsOptions{})
			r.diags.Append(diags...)
			ok = ok && !diags.HasError()
		}
		values = append(values, value)
	}
	return values, ok
}

// selector compiles the selector of an item; nil for none. ok is false where it is unknown or wrong.
func (r *policyReader) selector(at path.Path, object types.Object) (s *placement.Selector, ok bool) {
	if object.IsNull() {
		return nil, true
	}
	s, diags := compileSelector(r.ctx, at, object, r.sees)
	r.diags.Append(diags...)
	r.known = r.known && s != nil
	return s, s != nil
}

func (r *policyReader) readSelectors(m *placementModel) {
	r.settled(m.Selector, m.Selectors)
	add := func(at path.Path, object types.Object) {
		if s, ok := r.selector(at, object); ok && s != nil {
			r.policy.Selectors = append(r.policy.Selectors, s)
			r.selectors = append(r.selectors, at)
		}
	}
	add(path.Root("selector"), m.Selector)
	for i, element := range m.Selectors.Elements() {
		at := path.Root("selectors").AtListIndex(i)
		object, ok := element.(types.Object)
		if !ok || object.IsNull() {
			refuseSelector(&r.diags, at, "The item is null. Leave it out.")
			continue
		}
		add(at, object)
	}
	if m.Selector.IsNull() && !m.Selectors.IsNull() && !m.Selectors.IsUnknown() && len(m.Selectors.Elements()) == 0 {
		// Whoever computed an empty list meant no cluster, and would get all.
		refuseSelector(&r.diags, path.Root("selectors"),
			"The list is empty. Give at least one selector, or set selectors to null to choose all clusters.")
	}
}

func (r *policyReader) readTolerations(list types.List) {
	given, ok := items[tolerationModel](r, path.Root("tolerations"), list)
	tolerations := make([]placement.Toleration, 0, len(given))
	for _, t := range given {
		ok = r.settled(t.Key, t.Operator, t.Value, t.Effect, t.Seconds) && ok
		tolerations = append(tolerations, placement.Toleration{
			Key: t.Key.ValueString(), Operator: placement.TolerationOperator(t.Operator.ValueString()), Value: t.Value.ValueString(),
			Effect: t.Effect.ValueString(), Seconds: t.Seconds.ValueInt64Pointer(),
		})
	}
	if ok {
		r.policy.Tolerations = tolerations
	}
}

func (r *policyReader) readSpread(list types.List) {
	given, ok := items[spreadModel](r, path.Root("spread"), list)
	spread := make([]placement.Spread, 0, len(given))
	for _, s := range given {
		ok = r.settled(s.Key, s.Type, s.MaxSkew, s.MinGroups, s.MaxGroups, s.WhenUnsatisfiable) && ok
		spread = append(spread, placement.Spread{
			Key: s.Key.ValueString(), Type: placement.TopologyType(s.Type.ValueString()), MaxSkew: s.MaxSkew.ValueInt64Pointer(),
			MinGroups: s.MinGroups.ValueInt64Pointer(), MaxGroups: s.MaxGroups.ValueInt64Pointer(),
			WhenUnsatisfiable: placement.Unsatisfiable(s.WhenUnsatisfiable.ValueString()),
		})
	}
	if ok {
		r.policy.Spread = spread
	}
}

func (r *policyReader) readPrioritizers(list types.List) {
	given, ok := items[prioritizerModel](r, path.Root("prioritizers"), list)
	prioritizers := make([]placement.Prioritizer, 0, len(given))
	for i, p := range given {
		ok = r.settled(p.Type, p.Weight, p.Property, p.CEL) && ok
		prioritizer := placement.Prioritizer{
			Type: placement.PrioritizerType(p.Type.ValueString()), Weight: 1, Property: p.Property.ValueString(),
		}
		if !p.Weight.IsNull() {
			prioritizer.Weight = p.Weight.ValueInt64()
		}
		if text, known := knownText(p.CEL); known && !p.CEL.IsNull() {
			prioritizer.Expression = r.expression(path.Root("prioritizers").AtListIndex(i).AtName("cel"), text)
			ok = ok && prioritizer.Expression != nil
		}
		prioritizers = append(prioritizers, prioritizer)
	}
	if ok {
		r.policy.Prioritizers = prioritizers
	}
}

// expression compiles an expression that yields a number; nil where it is wrong.
func (r *policyReader) expression(at path.Path, text string) *placement.NumberExpression {
	expression, detail := placement.CompileNumber(text)
	if expression == nil {
		r.refuse(at, detail)
		return nil
	}
	diags := checkSight(at, expression.DependsOn(), r.sees)
	if r.diags.Append(diags...); diags.HasError() {
		return nil
	}
	return expression
}

func (r *policyReader) readAffinities(list types.List) bool {
	given, ok := items[affinityModel](r, path.Root("affinities"), list)
	affinities := make([]placement.Affinity, 0, len(given))
	for i, a := range given {
		s, fine := r.selector(path.Root("affinities").AtListIndex(i).AtName("selector"), a.Selector)
		ok = r.settled(a.Name) && fine && ok
		affinities = append(affinities, placement.Affinity{Name: a.Name.ValueString(), Selector: s})
	}
	if ok {
		r.policy.Affinities = affinities
	}
	return ok
}

func (r *policyReader) readGroups(list types.List) {
	given, ok := items[groupModel](r, path.Root("groups"), list)
	groups := make([]placement.Group, 0, len(given))
	for i, g := range given {
		at := path.Root("groups").AtListIndex(i)
		s, fine := r.selector(at.AtName("selector"), g.Selector)
		ok = r.settled(g.Name, g.Size) && fine && ok
		group := placement.Group{Name: g.Name.ValueString(), Selector: s}
		if text, known := knownText(g.Size); known && !g.Size.IsNull() {
			var err error
			if group.Size, err = placement.ParseSize(text); err != nil {
				r.refuse(at.AtName("size"), err.Error())
				ok = false
			}
		}
		groups = append(groups, group)
	}
	if ok {
		r.policy.Groups = groups
	}
}

func (r *policyReader) readWeights(object types.Object) {
	if object.IsNull() || !r.settled(object) {
		return
	}
	var given weightsModel
	if r.diags.Append(object.As(r.ctx, &given, basetypes.ObjectAsOptions{})...); r.diags.HasError() {
		return
	}
	rules, ok := items[staticWeightModel](r, path.Root("weights").AtName("static"), given.Static)
	ok = r.settled(given.By, given.Min, given.Max) && ok
	weights := &placement.Weights{
		Source: placement.WeightSource(given.By.ValueString()), Min: given.Min.ValueInt64Pointer(), Max: given.Max.ValueInt64Pointer(),
	}
	for i, rule := range rules {
		s, fine := r.selector(path.Root("weights").AtName("static").AtListIndex(i).AtName("selector"), rule.Selector)
		ok = r.settled(rule.Weight, rule.Min, rule.Max) && fine && ok
		weights.Static = append(weights.Static, placement.StaticWeight{
			Selector: s, Weight: rule.Weight.ValueInt64(), Min: rule.Min.ValueInt64Pointer(), Max: rule.Max.ValueInt64Pointer(),
		})
	}
	if ok {
		r.policy.Weights = weights
	}
}

// readNow reads the time; zero where none is given.
func readNow(value types.String) (now time.Time) {
	now, _ = time.Parse(time.RFC3339, value.ValueString())
	return now
}

// balanced reads the clusters that other placements have chosen; known is false where that is not known yet.
func (m *placementModel) balanced() (others [][]string, known bool) {
	if m.BalanceOver.IsNull() || m.BalanceOver.IsUnknown() {
		return nil, m.BalanceOver.IsNull()
	}
	others = [][]string{}
	for _, element := range m.BalanceOver.Elements() {
		chosen, ok := element.(types.Map)
		if !ok || chosen.IsUnknown() {
			return nil, false
		}
		others = append(others, slices.Sorted(maps.Keys(chosen.Elements())))
	}
	return others, true
}
