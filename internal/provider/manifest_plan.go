package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

// ModifyPlan runs at plan and once more at apply, and whatever it once said for certain it must then say again. So it
// decides by state and configuration, and asks the clusters only for what they make of the objects.
func (r *manifestResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	destroy := markPurpose(ctx, req, resp)
	ctx = withLogging(ctx)
	if destroy {
		resp.Diagnostics.Append(r.planDestroy(ctx, req)...)
		return
	}
	var plan manifestModel
	var prior *manifestModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		prior = &manifestModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if resp.Diagnostics.Append(plan.writeOnly(ctx, req.Config)...); resp.Diagnostics.HasError() {
		return
	}
	results := []string{"objects", "applied", "status", "ready", "changes", "plan_summary", "conflicting_fields", "revision"}
	planned := r.planSet(ctx, plan, prior, results, req, resp)
	for _, name := range sortedNames(planned) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), planned[name])...)
	}
}

// planSet plans the set and returns the values to plan, none where there was an error. Where too much is unknown to plan anything it plans
// the results as unknown.
func (r *manifestResource) planSet(ctx context.Context, plan manifestModel, prior *manifestModel, results []string, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) map[string]attr.Value {
	var change edit
	var kept map[string]attr.Value
	if prior != nil {
		change = newEdit(plan, *prior)
		kept = change.keepText(&plan)
	}
	set, unknown, diags := r.wanted(ctx, plan, prior)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return nil
	}
	var state deploy.State
	var before *deploy.Set
	if prior != nil {
		var was deploy.Set
		if was, state, diags = r.known(ctx, *prior); diags.HasError() {
			resp.Diagnostics.Append(diags...)
			return nil
		}
		before = &was
	}
	if !plan.Name.IsUnknown() && !plan.Inventory.IsUnknown() {
		if resp.Diagnostics.Append(r.checkName(ctx, set, before, req, resp)...); resp.Diagnostics.HasError() {
			return nil
		}
	}
	if unknown {
		for _, name := range results {
			resp.Diagnostics.Append(setUnknown(ctx, resp, name)...)
		}
		return nil
	}
	if names := set.Contradictions(); len(names) > 0 {
		resp.Diagnostics.AddAttributeError(path.Root("abandon"), "An abandoned cluster is still in clusters",
			fmt.Sprintf("%s: abandon forgets what is owed to a cluster that left clusters. Remove it from clusters, or from abandon. "+
				"A cluster that stays in the fleet and is only gone for now can have mode = \"maintenance\" in its fleet_cluster.", strings.Join(names, ", ")))
		return nil
	}
	if prior == nil {
		resp.Diagnostics.Append(markClusters(ctx, sortedNames(set.Clusters), resp)...)
	} else {
		change.set, change.clusters = set, before.Clusters
		set.Same = change.unchangedObjects(ctx)
	}
	missing := r.data.runner.Assign(ctx, &set, state)
	change.set = set
	todo, problems := r.data.runner.Plan(ctx, set, state)
	resp.Diagnostics.Append(planDiagnostics(append(missing, problems...), todo)...)
	resp.Diagnostics.Append(limitDiagnostics(todo, set)...)
	if resp.Diagnostics.HasError() {
		return nil
	}
	resp.Diagnostics.Append(outlineDiagnostics(todo.Outline(set))...)
	planned := plannedValues(set, todo, state, plan, prior)
	if prior != nil {
		maps.Copy(planned, kept)
		planned["clusters"] = keepClusters(plan, *prior, todo, change.rendersAlike(ctx))
	}
	return planned
}

func setUnknown(ctx context.Context, resp *resource.ModifyPlanResponse, name string) diag.Diagnostics {
	t, diags := resp.Plan.Schema.TypeAtPath(ctx, path.Root(name))
	if diags.HasError() {
		return diags
	}
	v, err := t.ValueFromTerraform(ctx, unknownOf(ctx, t))
	if err != nil {
		diags.AddError("Unknown value", err.Error())
		return diags
	}
	diags.Append(resp.Plan.SetAttribute(ctx, path.Root(name), v)...)
	return diags
}

// plannedValues turns the plan into the computed attributes: known where it is certain, unknown at the smallest part
// that is not.
func plannedValues(set deploy.Set, todo deploy.Plan, state deploy.State, plan manifestModel, prior *manifestModel) map[string]attr.Value {
	digests := plan.digests(objectCount(todo))
	objects, applied, status := map[string]attr.Value{}, map[string]attr.Value{}, map[string]attr.Value{}
	ready := true
	touched := false
	for name, c := range todo.Clusters {
		known, was := state[name]
		if (c.Gone || c.Leaving) && !c.Unknown {
			touched = touched || was
			continue
		}
		objects[name] = objectsValue(c, digests, known.Applied)
		inDigests := was && prior.inDigests(name)
		settled := was && !c.Changes() && !c.Renamed && (c.Deferred == "" || !c.Owed || known.Status.Phase == deploy.PhaseDeferred) &&
			(inDigests == digests || inDigests && unreadPlan(c))
		if settled {
			known.Status.Revision, known.Status.Wave = c.Revision, c.Wave
			applied[name], status[name] = prior.Applied.Elements()[name], statusValue(known.Status)
			ready = ready && known.Status.Ready()
			continue
		}
		touched = true
		applied[name], status[name] = types.StringUnknown(), types.ObjectUnknown(statusType.AttrTypes)
		if was && c.Deferred == "" && !c.Unknown {
			status[name] = statusAfter(set, c)
		}
	}
	values := map[string]attr.Value{
		"objects": types.MapValueMust(objectsOfCluster, objects),
		"applied": types.MapValueMust(types.StringType, applied),
		"status":  types.MapValueMust(statusType, status),
		"ready":   types.BoolValue(ready),

		"revision": types.StringValue(set.Revision),
	}
	if prior == nil {
		values["applied"], values["status"] = types.MapUnknown(types.StringType), types.MapUnknown(statusType)
	}
	values["conflicting_fields"] = types.MapUnknown(objectsOfCluster)
	if !set.Yields() {
		values["conflicting_fields"] = types.MapValueMust(objectsOfCluster, map[string]attr.Value{})
	}
	switch {
	case touched:
		values["ready"] = types.BoolUnknown()
	case prior != nil:
		values["ready"], values["conflicting_fields"] = prior.Ready, prior.ConflictingFields
	}
	sentences := todo.Sentences()
	switch {
	case !todo.Certain():
		values["changes"], values["plan_summary"] = types.ListUnknown(types.StringType), types.ObjectUnknown(summaryType.AttrTypes)
	case prior == nil || len(sentences) > 0:
		values["changes"], values["plan_summary"] = textsValue(sentences), summaryValue(todo.Summary())
	default:
		values["changes"], values["plan_summary"] = prior.Changes, prior.PlanSummary
	}
	return values
}

func summaryValue(sum deploy.Summary) types.Object {
	return types.ObjectValueMust(summaryType.AttrTypes, map[string]attr.Value{
		"create": types.Int64Value(sum.Create), "update": types.Int64Value(sum.Update), "delete": types.Int64Value(sum.Delete),
		"replace": types.Int64Value(sum.Replace), "adopt": types.Int64Value(sum.Adopt), "clusters": types.Int64Value(sum.Clusters),
	})
}

// statusAfter is the status of a cluster after an apply that succeeds; one that does not is an error, after which nothing is compared.
// Without it, a plan over a hundred clusters would show a hundred times that the status is known after the apply.
func statusAfter(set deploy.Set, c deploy.ClusterPlan) attr.Value {
	after := deploy.Status{Phase: deploy.PhaseApplied, Message: c.SkippedMessage(), Revision: c.Revision, Wave: c.Wave}
	if set.Wait.Ready {
		after.Health = health.Current
		return statusValue(after)
	}
	attributes := statusValue(after).Attributes()
	attributes["health"] = types.StringUnknown()
	return types.ObjectValueMust(statusType.AttrTypes, attributes)
}

// textsValue is a list of strings, empty where there are none.
func textsValue(list []string) types.List {
	texts := make([]attr.Value, 0, len(list))
	for _, s := range list {
		texts = append(texts, types.StringValue(s))
	}
	return types.ListValueMust(types.StringType, texts)
}

// unreadPlan tells whether the plan leaves objects of which only digests are known.
func unreadPlan(c deploy.ClusterPlan) bool {
	for _, o := range c.Objects {
		if o.Fields.IsUnread() {
			return true
		}
	}
	return false
}

func objectsValue(c deploy.ClusterPlan, digests bool, applied deploy.Applied) attr.Value {
	if c.Unknown {
		return types.MapUnknown(types.StringType)
	}
	if digests || unreadPlan(c) {
		return summedPlan(c, applied)
	}
	texts := map[string]attr.Value{}
	for key, o := range c.Objects {
		switch {
		case o.Goes():
		case o.Fields == nil:
			texts[key.String()] = types.StringUnknown()
		default:
			texts[key.String()] = types.StringValue(o.Fields.JSON())
		}
	}
	return types.MapValueMust(types.StringType, texts)
}

// keepClusters plans the prior description of a cluster on which nothing changes, so that a new label or a minor release
// does not show as a change of the set, unless the prior one would make other objects. How the cluster is reached and treated is always planned as it is.
func keepClusters(plan, prior manifestModel, todo deploy.Plan, alike func(cluster string) bool) attr.Value {
	clusters := map[string]attr.Value{}
	before := prior.Clusters.Elements()
	kept := []string{"labels", "properties", "minor", "group"}
	if plan.ReplicaScheduling.ValueString() != replicasDivided {
		// Otherwise what one cluster gets depends on the weights of all.
		kept = append(kept, "weight", "min_replicas", "max_replicas")
	}
	for name, v := range plan.Clusters.Elements() {
		clusters[name] = v
		now, ok := v.(types.Object)
		was, okBefore := before[name].(types.Object)
		if !ok || !okBefore || now.IsUnknown() || now.Equal(was) || todo.Clusters[name].Changes() || !alike(name) {
			continue
		}
		attributes := now.Attributes()
		for _, field := range kept {
			attributes[field] = was.Attributes()[field]
		}
		clusters[name] = types.ObjectValueMust(now.AttributeTypes(context.Background()), attributes)
	}
	return types.MapValueMust(plan.Clusters.ElementType(context.Background()), clusters)
}

// unknownOf is the unknown value of a type.
func unknownOf(ctx context.Context, t attr.Type) tftypes.Value {
	return tftypes.NewValue(t.TerraformType(ctx), tftypes.UnknownValue)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
