package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// register makes the first contact. A cluster that is offline is registered with a warning, because a failure here would
// block everything that depends on the map of clusters; whatever else is wrong is an error.
func (r *clusterResource) register(ctx context.Context, m *clusterModel) diag.Diagnostics {
	if diags := r.resolve(m); diags.HasError() || !m.active() {
		return diags
	}
	if diags := r.registerAtHub(ctx, m, nil); diags.HasError() {
		return diags
	}
	client, err := r.data.pool.Client(ctx, m.Name.ValueString(), m.Access.ValueString())
	if err != nil {
		return offline(err, "It is registered all the same. What is to know about it, and its uid, is read as soon as it answers.")
	}
	uid, err := client.UID(ctx)
	if err != nil {
		return offline(err, "It is registered all the same. What is to know about it, and its uid, is read as soon as it answers.")
	}
	version, err := client.Version(ctx)
	if err != nil {
		return clusterDiagnostics(err, path.Root("connect"))
	}
	m.UID, m.Reachable = types.StringValue(uid), types.BoolValue(true)
	m.setVersion(version)
	diags := r.warnOfDenied(ctx, client)
	diags.Append(m.setMarks(ctx, client, m.openMarks())...)
	facts, more := discover(ctx, client, m)
	diags.Append(more...)
	diags.Append(m.setFacts(ctx, facts)...)
	return diags
}

// resolve fills in the access text where the plan could not know it.
func (r *clusterResource) resolve(m *clusterModel) diag.Diagnostics {
	if !m.Access.IsUnknown() {
		return nil
	}
	own, _ := m.own()
	resolved, err := r.data.pool.Resolve(m.Name.ValueString(), own)
	if err != nil && m.active() {
		return clusterDiagnostics(err, path.Root("connect"))
	}
	if err == nil {
		m.Access = types.StringValue(resolved.Access())
	}
	return nil
}

// offline is a warning for a cluster that does not answer, and an error for all else.
func offline(err error, consequence string) diag.Diagnostics {
	var unreachable *cluster.UnreachableError
	var unknown *cluster.NotManagedError
	if errors.As(err, &unreachable) && !errors.As(err, &unknown) {
		return clusterWarnings(err, consequence)
	}
	return clusterDiagnostics(err, path.Root("connect"))
}

// observe reads a cluster that is in the state. It never drops one, and never stops a run: what is wrong with the
// connection may just be what the run is to change. marks are those that are to be as the hub has them.
func (r *clusterResource) observe(ctx context.Context, m *clusterModel, marks hubMarks) diag.Diagnostics {
	if !m.active() {
		return nil
	}
	if m.Access.IsNull() {
		// Imported by name.
		m.Access = types.StringUnknown()
		if diags := r.resolve(m); diags.HasError() {
			return diags
		}
	}
	client, err := r.data.pool.Client(ctx, m.Name.ValueString(), m.Access.ValueString())
	var uid string
	if err == nil {
		uid, err = client.UID(ctx)
	}
	var unknown *cluster.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil
	case err != nil:
		m.Reachable = types.BoolValue(false)
		return clusterWarnings(err, "What is known of the cluster is kept.")
	case !m.UID.IsNull() && m.UID.ValueString() != uid:
		m.Reachable = types.BoolValue(false)
		return anotherCluster(m, client.Identity(), uid)
	}
	version, err := client.Version(ctx)
	if err != nil {
		return clusterDiagnostics(err, path.Root("connect"))
	}
	m.UID, m.Reachable = types.StringValue(uid), types.BoolValue(true)
	m.setVersion(version)
	if diags := m.setMarks(ctx, client, marks); diags.HasError() {
		return diags
	}
	facts, diags := discover(ctx, client, m)
	if len(diags) > 0 {
		// What could not be read is not gone.
		return diags
	}
	return m.setFacts(ctx, facts)
}

// change updates a cluster: only what the plan left unknown is asked for.
func (r *clusterResource) change(ctx context.Context, plan *clusterModel, prior clusterModel) diag.Diagnostics {
	if diags := r.resolve(plan); diags.HasError() {
		return diags
	}
	if plan.Facts.IsUnknown() && plan.factless() {
		plan.Facts = noFacts()
	}
	asks := plan.contact(prior)
	if open := plan.openMarks(); asks < contactFacts && (open.Labels || open.Taints) {
		asks = contactFacts
	}
	if asks == contactHub || asks == contactConnection && plan.registers() {
		if diags := r.registerAtHub(ctx, plan, &prior); diags.HasError() {
			return diags
		}
	}
	if asks == contactNone || asks == contactHub {
		// The access was unknown while planning and came out as it was.
		plan.keep(prior)
		return nil
	}
	found := *plan
	found.UID = prior.UID
	diags := r.observe(ctx, &found, plan.openMarks())
	if diags.HasError() {
		return diags
	}
	if !found.Reachable.ValueBool() {
		// Unlike at a read, nothing that this run changes could mend wrong credentials.
		if err := r.data.pool.Verdict(plan.Name.ValueString(), plan.Access.ValueString()); err != nil {
			if diags := offline(err, "What is known of the cluster is kept."); diags.HasError() {
				return diags
			}
		}
		found.Reachable = types.BoolValue(false)
	} else if asks == contactConnection {
		if client, err := r.data.pool.Client(ctx, plan.Name.ValueString(), plan.Access.ValueString()); err == nil {
			diags.Append(r.warnOfDenied(ctx, client)...)
		}
	}
	plan.learn(found)
	plan.keep(prior)
	return diags
}

// learn takes over what was found, where the plan left it open. What it promised stays: the next read corrects it.
func (m *clusterModel) learn(found clusterModel) {
	for _, pair := range []struct {
		into *types.String
		from types.String
	}{
		{&m.UID, found.UID}, {&m.KubernetesVersion, found.KubernetesVersion}, {&m.Minor, found.Minor}, {&m.Platform, found.Platform},
	} {
		if pair.into.IsUnknown() && !pair.from.IsUnknown() {
			*pair.into = pair.from
		}
	}
	if m.Reachable.IsUnknown() {
		m.Reachable = found.Reachable
	}
	if m.Facts.IsUnknown() {
		m.Facts = found.Facts
	}
	if m.Labels.IsUnknown() {
		m.Labels = found.Labels
	}
	if m.Taints.IsUnknown() {
		m.Taints = found.Taints
	}
}

// keep takes over from the state what is still open.
func (m *clusterModel) keep(prior clusterModel) { m.learn(prior) }

// anotherCluster warns that the name now leads somewhere else. Nothing is ever applied to a cluster that only looks like
// the right one.
func anotherCluster(m *clusterModel, identity, found string) diag.Diagnostics {
	var diags diag.Diagnostics
	name := m.Name.ValueString()
	diags.AddWarning(fmt.Sprintf("Another cluster answers as %q", name), fmt.Sprintf(
		"The uid of its %s is\n  %s, but the fleet knows\n  %s.\n\n"+
			"What is known of the cluster is kept, it counts as unreachable, and nothing is applied to it. Either the connection leads to the "+
			"wrong cluster, or this one was set up anew. In that case, accept it with:\n\n"+
			"  terraform apply -replace='fleet_cluster.this[%q]'\n\n"+
			"with the address of this resource.", identity, found, m.UID.ValueString(), name))
	return diags
}

// warnOfDenied tells which permissions the sets of a fleet usually need and this connection does not have. A set may do
// with less, so this is no error.
func (r *clusterResource) warnOfDenied(ctx context.Context, client *cluster.Client) diag.Diagnostics {
	if hub, managed := client.Hub(); hub != nil {
		return r.warnOfDeniedAtHub(ctx, hub, managed.Name)
	}
	var diags diag.Diagnostics
	everything := []authorizationv1.ResourceAttributes{{Verb: "*", Group: "*", Resource: "*"}}
	denied, err := client.Can(ctx, everything)
	if err == nil && len(denied) > 0 {
		denied, err = client.Can(ctx, usualNeeds(r.data.inventory))
	}
	if err != nil {
		return clusterWarnings(err, "Whether the permissions suffice could not be found out. Sets tell where they do not.")
	}
	if len(denied) > 0 {
		lines := make([]string, 0, len(denied))
		for _, d := range denied {
			lines = append(lines, "  "+d.String())
		}
		slices.Sort(lines)
		diags.AddWarning(fmt.Sprintf("Permissions on cluster %q that sets may need are missing", client.Name()),
			"This connection is not allowed to\n\n"+strings.Join(lines, "\n")+"\n\nSets that need this fail on this cluster; others do not.")
	}
	return diags
}

// usualNeeds are what nearly every set does: keep its inventory, and apply, read and delete the commonest kinds. What sets do in
// namespaces that only they name, they find out themselves.
func usualNeeds(inventory inventorySettings) []authorizationv1.ResourceAttributes {
	var needs []authorizationv1.ResourceAttributes
	add := func(group, resource, namespace string, verbs ...string) {
		for _, verb := range verbs {
			needs = append(needs, authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Namespace: namespace})
		}
	}
	add("", "secrets", inventory.namespace, "get", "list", "create", "patch", "delete")
	if inventory.namespaced {
		return needs
	}
	for _, resource := range []string{"configmaps", "services"} {
		add("", resource, "", "get", "list", "create", "patch", "delete")
	}
	add("apps", "deployments", "", "get", "list", "create", "patch", "delete")
	return needs
}
