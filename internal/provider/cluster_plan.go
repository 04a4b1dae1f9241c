package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// ModifyPlan resolves the connection, so that sets planned together with a new cluster can already ask it, and keeps
// what an update does not change: a new label must not make a whole fleet unknown. It contacts nobody.
func (r *clusterResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if markPurpose(ctx, req, resp) || r.data == nil {
		return
	}
	var plan clusterModel
	if resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...); resp.Diagnostics.HasError() {
		return
	}
	var prior *clusterModel
	if !req.State.Raw.IsNull() {
		prior = &clusterModel{}
		if resp.Diagnostics.Append(req.State.Get(ctx, prior)...); resp.Diagnostics.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(r.planAccess(&plan, prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.planObserved(prior)
	var config clusterModel
	noted, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	if marks := plan.planMarks(config, prior, noted); marks != noted {
		resp.Diagnostics.Append(marks.write(ctx, resp.Private)...)
	}
	for name, value := range map[string]attr.Value{
		"labels": plan.Labels, "taints": plan.Taints,
		"uid": plan.UID, "access": plan.Access, "kubernetes_version": plan.KubernetesVersion, "minor": plan.Minor,
		"platform": plan.Platform, "reachable": plan.Reachable, "facts": plan.Facts,
	} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// planAccess plans the access text: known wherever it can be, and unknown where any source is.
func (r *clusterResource) planAccess(plan, prior *clusterModel) diag.Diagnostics {
	own, known := plan.own()
	if !known || plan.Name.IsUnknown() {
		plan.Access = types.StringUnknown()
		return nil
	}
	resolved, err := r.data.pool.Resolve(plan.Name.ValueString(), own)
	var unknown *cluster.UnknownError
	switch {
	case err != nil && !plan.active():
		// Nobody is contacted, so the connection may already be gone. What is recorded of it is kept.
		plan.Access = types.StringNull()
		if prior != nil {
			plan.Access = prior.Access
		}
	case errors.As(err, &unknown), err != nil && plan.Mode.IsUnknown():
		plan.Access = types.StringUnknown()
	case err != nil:
		return clusterDiagnostics(err, path.Root("connect"))
	default:
		plan.Access = types.StringValue(resolved.Access())
		if prior != nil && plan.active() {
			return r.planVerdict(plan)
		}
	}
	return nil
}

// planVerdict makes an error of what the read before this plan has found, where that is about the connection as it is
// planned: applying would meet it again. A cluster that does not answer is no error, and not found out here.
func (r *clusterResource) planVerdict(plan *clusterModel) diag.Diagnostics {
	err := r.data.pool.Verdict(plan.Name.ValueString(), plan.Access.ValueString())
	var unreachable *cluster.UnreachableError
	if err == nil || errors.As(err, &unreachable) {
		return nil
	}
	return clusterDiagnostics(err, path.Root("connect"))
}

// planObserved plans what contact with the cluster tells: unknown where an apply finds it out, as in the state where it
// does not.
func (m *clusterModel) planObserved(prior *clusterModel) {
	if prior == nil {
		m.UID, m.KubernetesVersion, m.Minor = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		m.Platform, m.Reachable, m.Facts = types.StringUnknown(), types.BoolUnknown(), types.ObjectUnknown(factTypes())
		if m.factless() {
			m.Facts = noFacts()
		}
		return
	}
	m.UID, m.KubernetesVersion, m.Minor, m.Platform = prior.UID, prior.KubernetesVersion, prior.Minor, prior.Platform
	m.Reachable, m.Facts = prior.Reachable, prior.Facts
	switch m.contact(*prior) {
	case contactConnection:
		// The uid is what the fleet holds on to, and with it the minor version, on which sets depend.
		if m.UID.IsNull() {
			m.UID = types.StringUnknown()
		}
		if m.Minor.IsNull() {
			m.Minor = types.StringUnknown()
		}
		m.KubernetesVersion, m.Platform, m.Reachable = types.StringUnknown(), types.StringUnknown(), types.BoolUnknown()
		m.Facts = types.ObjectUnknown(factTypes())
	case contactFacts:
		m.Facts = types.ObjectUnknown(factTypes())
	case contactNone, contactHub:
	}
	if m.factless() {
		m.Facts = noFacts()
	}
}

// contact is what an update has to ask the cluster.
type contact int

const (
	contactNone contact = iota
	// contactHub is only the hub, which is to have other labels or taints on the cluster.
	contactHub
	// contactFacts is only what discover asks for.
	contactFacts
	// contactConnection is everything, because the connection or the mode is another.
	contactConnection
)

func (m *clusterModel) contact(prior clusterModel) contact {
	switch {
	case !m.active():
		return contactNone
	case !m.Access.Equal(prior.Access), !prior.active():
		return contactConnection
	case m.registers() && (!m.Register.Equal(prior.Register) || !m.Labels.Equal(prior.Labels) || !m.Taints.Equal(prior.Taints)):
		return contactHub
	case !m.Discover.Equal(prior.Discover):
		return contactFacts
	}
	return contactNone
}
