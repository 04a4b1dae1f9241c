package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// decide computes what the placement computes. All of it stays unknown as long as one cluster may still go either way,
// because a map cannot have keys that are not known yet. prior is nil where there was no decision before.
func (m *placementModel) decide(ctx context.Context, prior *placementModel, data *providerData) diag.Diagnostics {
	m.open()
	reader := m.readPolicy(ctx)
	diags := reader.diags
	diags.Append(m.checkFailover(reader, data)...)
	others, balanced := m.balanced()
	if diags.HasError() || !reader.known || !balanced || m.Clusters.IsUnknown() || m.Now.IsUnknown() {
		return diags
	}
	clusters, unknown, d := clustersFromMap(ctx, m.Clusters)
	diags.Append(d...)
	if diags.HasError() {
		return diags
	}
	decision, err := placement.Schedule(reader.policy, placement.Input{
		Clusters: slices.Collect(maps.Values(clusters)), Unknown: unknown, Answering: answering(clusters, unknown, data),
		Previous: prior.decided(), Others: others, Now: readNow(m.Now),
	})
	if err != nil {
		diags.Append(scheduleDiagnostics(err, reader.selectors)...)
		return diags
	}
	for _, warning := range decision.Warnings {
		diags.AddWarning("An argument of the placement cannot mean what it says", warning)
	}
	for _, warning := range decision.Compromises {
		diags.AddWarning("The placement gives less than is asked for", warning)
	}
	if len(decision.Undecided) > 0 {
		return diags
	}
	diags.Append(m.record(ctx, decision, prior)...)
	if len(decision.Selected) == 0 {
		diags.AddWarning("No cluster is selected", nothingSelected(clusters, decision))
	}
	return diags
}

// open makes everything unknown that is computed.
func (m *placementModel) open() {
	m.Selected = types.MapUnknown(clusterObjectType(schedulingClusterAttributes()))
	m.Rejected, m.Scores = types.MapUnknown(types.StringType), types.MapUnknown(types.StringType)
	m.Affinity, m.Changes = types.StringUnknown(), types.ListUnknown(types.StringType)
}

// checkFailover refuses to move what runs because of a single probe that failed.
func (m *placementModel) checkFailover(r *policyReader, data *providerData) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.policy.Failover != placement.FailoverAutomatic || data == nil || !data.unreachableAfterKnown || data.unreachableAfter > 0 {
		return diags
	}
	diags.AddAttributeError(path.Root("failover"), "Invalid placement", "failover: With automatic failover a cluster that does not answer loses what runs there, "+
		"and clusters are asked only once. Set the provider's unreachable_after, such as \"30s\", so that they are asked for that long, or use manual failover.")
	return diags
}

// answering are the clusters that the apply of this plan connects to: whether they answer is unknown while it is planned,
// and no matter once it is applied.
func answering(clusters map[string]fleet.Cluster, unknown map[string]placement.Unknown, data *providerData) map[string]bool {
	names := map[string]bool{}
	for name := range clusters {
		// A fleet_cluster that connects plans these together.
		planned := unknown[name].Field("reachable") && unknown[name].Field("kubernetes_version")
		names[name] = planned || data != nil && data.contacts.has(name)
	}
	return names
}

// decided is what the state remembers of the last decision.
func (m *placementModel) decided() placement.Previous {
	previous := placement.Previous{Groups: map[string]string{}}
	if m == nil {
		return previous
	}
	for name, element := range m.Selected.Elements() {
		previous.Selected = append(previous.Selected, name)
		if object, ok := element.(types.Object); ok {
			previous.Groups[name], _ = knownText(object.Attributes()["group"])
		}
	}
	slices.Sort(previous.Selected)
	previous.Affinity = m.Affinity.ValueString()
	return previous
}

// record writes the decision. The chosen elements are passed on as they are, with what is unknown in them.
func (m *placementModel) record(ctx context.Context, decision placement.Decision, prior *placementModel) diag.Diagnostics {
	var diags diag.Diagnostics
	elements := m.Clusters.Elements()
	selected := make(map[string]attr.Value, len(decision.Selected))
	for _, name := range decision.Selected {
		element, d := withDecision(ctx, elements[name], name, decision)
		diags.Append(d...)
		selected[name] = element
	}
	rejected := make(map[string]attr.Value, len(decision.Rejected))
	for name, reason := range decision.Rejected {
		rejected[name] = types.StringValue(reason)
		if reason == "" {
			rejected[name] = types.StringUnknown()
		}
	}
	var d diag.Diagnostics
	m.Selected, d = types.MapValue(m.Selected.ElementType(ctx), selected)
	diags.Append(d...)
	m.Rejected, d = types.MapValue(types.StringType, rejected)
	diags.Append(d...)
	m.Scores, d = scoreTexts(decision.Scores)
	diags.Append(d...)
	m.Affinity = orNull(decision.Affinity)
	switch {
	case decision.ChangesUnknown:
	case len(decision.Changes) == 0 && prior != nil && !prior.Changes.IsNull():
		m.Changes = prior.Changes
	default:
		m.Changes = textsValue(decision.Changes)
	}
	return diags
}

// scoreTexts prints each score as one JSON text: Terraform shows how such a text changes, and is slow with many values.
func scoreTexts(scores map[string]placement.Score) (types.Map, diag.Diagnostics) {
	if scores == nil {
		return types.MapNull(types.StringType), nil
	}
	texts := make(map[string]attr.Value, len(scores))
	for name, score := range scores {
		if score.Unknown {
			texts[name] = types.StringUnknown()
			continue
		}
		parts := map[string]int64{"total": score.Total}
		for _, p := range score.Parts {
			parts[p.Name] = p.Value * p.Weight
		}
		text, err := json.Marshal(parts)
		if err != nil {
			var diags diag.Diagnostics
			diags.AddError("A score cannot be written", err.Error())
			return types.MapNull(types.StringType), diags
		}
		texts[name] = types.StringValue(string(text))
	}
	return types.MapValue(types.StringType, texts)
}

// withDecision fills in what the placement decided for the cluster, and the name of one written by hand without one.
func withDecision(ctx context.Context, element attr.Value, name string, decision placement.Decision) (attr.Value, diag.Diagnostics) {
	object, ok := element.(types.Object)
	if !ok || object.IsUnknown() {
		return element, nil
	}
	attributes := object.Attributes()
	attributes["name"] = types.StringValue(name)
	if decision.Groups != nil {
		attributes["group"] = types.StringUnknown()
		if group, known := decision.Groups[name]; known {
			attributes["group"] = types.StringValue(group)
		}
	}
	if decision.Shares != nil {
		attributes["weight"], attributes["min_replicas"], attributes["max_replicas"] = types.Int64Unknown(), types.Int64Unknown(), types.Int64Unknown()
		if share, known := decision.Shares[name]; known {
			attributes["weight"] = types.Int64Value(share.Weight)
			attributes["min_replicas"], attributes["max_replicas"] = types.Int64Null(), types.Int64PointerValue(share.Max)
			if share.Min > 0 {
				attributes["min_replicas"] = types.Int64Value(share.Min)
			}
		}
	}
	return types.ObjectValue(object.AttributeTypes(ctx), attributes)
}

// scheduleDiagnostics puts errors at the arguments to blame. selectors are the places of the policy's selectors.
func scheduleDiagnostics(err error, selectors []path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	var invalid *placement.InvalidPolicyError
	var failures placement.EvaluationErrors
	switch {
	case errors.As(err, &invalid):
		for _, problem := range invalid.Problems {
			at := policyPath(problem)
			diags.AddAttributeError(at, "No placement", at.String()+": "+sentence(problem.Detail))
		}
	case errors.As(err, &failures):
		for _, failure := range failures {
			at := expressionPath(failure, selectors)
			diags.AddAttributeError(at, fmt.Sprintf("The expression %s fails", at), failure.Error())
		}
	default:
		diags.AddAttributeError(path.Root("clusters"), "No placement", err.Error())
	}
	return diags
}

// expressionPath is the place of an expression that failed.
func expressionPath(failure *placement.EvaluationError, selectors []path.Path) path.Path {
	if failure.Argument == "" {
		return selectors[failure.Selector].AtName("cel")
	}
	at := policyPath(placement.Problem{Argument: failure.Argument, Index: failure.Selector})
	if failure.Argument != "prioritizers" {
		at = at.AtName("selector")
	}
	return at.AtName("cel")
}

// mostReasons is how many rejections a warning spells out; the attribute rejected has all.
const mostReasons = 10

func nothingSelected(clusters map[string]fleet.Cluster, decision placement.Decision) string {
	if len(clusters) == 0 {
		return "clusters is empty. Whatever uses selected goes nowhere, and is removed from where it was."
	}
	var text strings.Builder
	fmt.Fprintf(&text, "None of the %d clusters is chosen. Whatever uses selected goes nowhere, and is removed from where it was.\n", len(clusters))
	for i, name := range slices.Sorted(maps.Keys(decision.Rejected)) {
		if i == mostReasons {
			fmt.Fprintf(&text, "\n  and %d more", len(decision.Rejected)-i)
			break
		}
		fmt.Fprintf(&text, "\n  %s  %s", name, decision.Rejected[name])
	}
	return text.String()
}
