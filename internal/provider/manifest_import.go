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

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// ImportState finds a set by its name on the clusters that the provider's connections and kubeconfigs name, or on those that stand
// after an @. There is no configuration to go by, so Read finds the objects, and the plan after that what they are to be.
func (r *manifestResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx = withLogging(ctx)
	name, clusters, diags := r.importID(req.ID)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	set := deploy.Set{Name: name, Owner: r.data.owner, Inventory: r.data.inventory.namespace}
	found, problems := r.data.runner.Find(ctx, set, clusters)
	resp.Diagnostics.Append(importDiagnostics(name, clusters, strings.Contains(req.ID, "@"), found, problems)...)
	if resp.Diagnostics.HasError() {
		return
	}
	values := map[string]attr.Value{
		"name":             types.StringValue(name),
		"secrets_in_state": types.BoolValue(false),
		"unreachable":      types.StringValue(string(fleet.UnreachableInherit)),
		"clusters":         importedClusters(found.State),
	}
	if found.Inventory != r.data.inventory.namespace {
		values["inventory"] = types.ObjectValueMust(map[string]attr.Type{"namespace": types.StringType, "scope": types.StringType},
			map[string]attr.Value{"namespace": types.StringValue(found.Inventory), "scope": types.StringNull()})
	}
	var model manifestModel
	if set.Instance = found.Instance; set.Instance == "" {
		set.Instance = newInstance()
	}
	resp.Diagnostics.Append(model.observe(set, found.State, nil)...)
	maps.Copy(values, map[string]attr.Value{
		"instance": model.Instance, "objects": model.Objects, "applied": model.Applied, "status": model.Status, "ready": model.Ready,
		"conflicting_fields": model.ConflictingFields,
	})
	for _, name := range sortedNames(values) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), values[name])...)
	}
}

// importID takes an ID apart into the set's name and the clusters to look on.
func (r *manifestResource) importID(id string) (name string, clusters []string, diags diag.Diagnostics) {
	name, list, named := strings.Cut(id, "@")
	const form = "The ID of a set is its name, as in \"web\", or its name and the clusters it is on, as in \"web@eu-1,eu-2\""
	if !setName.MatchString(name) {
		diags.AddError("Invalid import ID", fmt.Sprintf("%s; got %q. A set's name is a DNS label of at most 50 characters.", form, id))
		return name, nil, diags
	}
	if !named {
		if clusters = r.data.pool.Named(); len(clusters) == 0 {
			diags.AddError("No clusters to look on", fmt.Sprintf("The provider's connections and kubeconfigs name no cluster. Contexts of kubeconfig files are looked at only where they are named: "+
				"import \"%s@\" with the names of the clusters, separated by commas.", name))
		}
		return name, clusters, diags
	}
	clusters = strings.Split(list, ",")
	for _, c := range clusters {
		if !clusterName.MatchString(c) {
			diags.AddError("Invalid import ID", fmt.Sprintf("%s; got %q, in which %q is no name of a cluster.", form, id, c))
		}
	}
	slices.Sort(clusters)
	return name, slices.Compact(clusters), diags
}

// importDiagnostics says why a set cannot be imported, and what an import means that can.
func importDiagnostics(name string, looked []string, named bool, found deploy.Finding, problems deploy.Problems) diag.Diagnostics {
	var diags diag.Diagnostics
	on := sortedNames(found.State)
	if failed := problems.Errors(); len(failed) > 0 {
		text := failed.String()
		if len(on) > 0 {
			text += fmt.Sprintf("\n\nThe set was found on %s. An import without the others would forget what they have of it. Where that is meant, name those to import from: %q.",
				strings.Join(on, ", "), name+"@"+strings.Join(on, ","))
		}
		diags.AddError(fmt.Sprintf("The set %q could not be looked for on %d of %s", name, len(failed.Clusters()), clusterCount(len(looked))), text)
		return diags
	}
	if len(on) == 0 {
		diags.AddError(fmt.Sprintf("No set %q", name), notFoundText(name, looked, found))
		return diags
	}
	if named && len(found.Absent) > 0 {
		diags.AddError(fmt.Sprintf("No set %q on %s", name, strings.Join(found.Absent, ", ")),
			fmt.Sprintf("It is on %s. Leave the others out: %q.", strings.Join(on, ", "), name+"@"+strings.Join(on, ",")))
		return diags
	}
	var owners []string
	for _, c := range sortedNames(found.Owners) {
		owners = append(owners, fmt.Sprintf("%s  owner %q", c, found.Owners[c]))
	}
	if len(owners) > 0 {
		diags.AddWarning(fmt.Sprintf("The set %q belongs to another configuration", name), strings.Join(owners, "\n")+
			"\n\nThe next apply takes it over. From then on that configuration is refused, so remove the set from it, with removed { lifecycle { destroy = false } } or state rm.")
	}
	return diags
}

// notFoundText says where a set was looked for and what is there instead.
func notFoundText(name string, looked []string, found deploy.Finding) string {
	text := fmt.Sprintf("None of %s has a set of that name, in any namespace that could be looked into.", strings.Join(looked, ", "))
	if len(found.Sets) == 0 {
		text += " No sets are there at all."
	} else {
		var sets []string
		for _, set := range sortedNames(found.Sets) {
			sets = append(sets, fmt.Sprintf("%s (%s)", set, strings.Join(found.Sets[set], ", ")))
		}
		text += " Sets there: " + shortList(sets, setsInError) + "."
	}
	if closest := found.Closest(name); closest != "" {
		text += fmt.Sprintf(" Did you mean %q?", closest)
	}
	return text
}

// setsInError is how many sets an error names.
const setsInError = 20

// shortList names what is first and counts the rest.
func shortList(items []string, limit int) string {
	if len(items) > limit {
		return strings.Join(items[:limit], ", ") + fmt.Sprintf(" and %d more", len(items)-limit)
	}
	return strings.Join(items, ", ")
}

// importedClusters are the clusters as far as the provider's configuration and the clusters themselves tell.
func importedClusters(state deploy.State) types.Map {
	object := clusterObjectType(stableClusterAttributes())
	clusters := map[string]attr.Value{}
	for name, c := range state {
		attributes := map[string]attr.Value{
			"name": types.StringValue(name), "uid": types.StringValue(c.Cluster.UID), "minor": types.StringValue(c.Cluster.Minor), "access": types.StringValue(c.Cluster.Access),
			"labels": types.MapNull(types.StringType), "properties": types.MapNull(types.StringType), "mode": types.StringNull(), "unreachable": types.StringNull(),
			"group": types.StringNull(), "weight": types.Int64Null(), "min_replicas": types.Int64Null(), "max_replicas": types.Int64Null(),
		}
		clusters[name] = types.ObjectValueMust(object.AttrTypes, attributes)
	}
	return types.MapValueMust(object, clusters)
}
