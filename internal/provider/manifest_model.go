package provider

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

type manifestModel struct {
	Name      types.String `tfsdk:"name"`
	Clusters  types.Map    `tfsdk:"clusters"`
	Manifests types.List   `tfsdk:"manifests"`

	ManifestsWO        types.List  `tfsdk:"manifests_wo"`
	ManifestsWOVersion types.Int64 `tfsdk:"manifests_wo_version"`
	ValuesWO           types.Map   `tfsdk:"values_wo"`
	ValuesWOVersion    types.Int64 `tfsdk:"values_wo_version"`

	Namespace      types.String `tfsdk:"namespace"`
	SecretsInState types.Bool   `tfsdk:"secrets_in_state"`
	Unreachable    types.String `tfsdk:"unreachable"`
	Inventory      types.Object `tfsdk:"inventory"`

	ReplicaScheduling types.String `tfsdk:"replica_scheduling"`

	Detail  types.String `tfsdk:"detail"`
	Rollout types.Object `tfsdk:"rollout"`
	Wait    types.Object `tfsdk:"wait"`
	policyModel
	renderModel
	Policies types.List `tfsdk:"policies"`

	Instance types.String `tfsdk:"instance"`
	Objects  types.Map    `tfsdk:"objects"`
	Applied  types.Map    `tfsdk:"applied"`
	Status   types.Map    `tfsdk:"status"`
	Ready    types.Bool   `tfsdk:"ready"`
	Changes  types.List   `tfsdk:"changes"`
	Revision types.String `tfsdk:"revision"`

	PlanSummary       types.Object `tfsdk:"plan_summary"`
	ConflictingFields types.Map    `tfsdk:"conflicting_fields"`
}

type inventoryModel struct {
	Namespace types.String `tfsdk:"namespace"`
	Scope     types.String `tfsdk:"scope"`
}

type waitModel struct {
	Until        types.String `tfsdk:"until"`
	Timeout      types.String `tfsdk:"timeout"`
	HealthChecks types.List   `tfsdk:"health_checks"`
}

func newInstance() string { return rand.Text() }

// objects parses the manifests where they are what every cluster gets. ok is false where they are not, or cannot be told.
func (m manifestModel) objects() (objects []manifest.Object, ok bool) {
	if !m.plain() || m.unknownRendering() || !whollyKnown(m.Manifests) {
		return nil, false
	}
	checked, err := deploy.CheckTexts(deploy.ArgumentManifests, textsOf(m.Manifests), false, false)
	return checked.Objects, err == nil && !checked.Templates
}

func (m manifestModel) validate(ctx context.Context) diag.Diagnostics {
	objects, open, diags := m.checkRendering()
	diags.Append(m.checkOverrides(ctx)...)
	_, more := m.healthChecks(ctx)
	diags.Append(more...)
	_, _, more = m.rollout(ctx, nil, nil)
	diags.Append(more...)
	diags.Append(m.validateWriteOnly()...)
	_, more = m.policies()
	diags.Append(more...)
	if open || !m.ManifestsWO.IsNull() {
		// What is not known or write-only may be what a target means.
		diags.Append(m.checkPolicies(ctx, nil)...)
	} else {
		diags.Append(m.checkPolicies(ctx, objects)...)
	}
	if len(objects) == 0 && !open && m.ManifestsWO.IsNull() && !diags.HasError() {
		diags.AddAttributeWarning(path.Root("manifests"), "No objects", "The manifests hold no object, so the set is empty on every cluster; what it had before is pruned.")
	}
	if !m.Clusters.IsUnknown() && !m.Clusters.IsNull() && len(m.Clusters.Elements()) == 0 {
		diags.AddAttributeWarning(path.Root("clusters"), "No clusters", "The map of clusters is empty, so the set is nowhere; where it was before it is pruned.")
	}
	return diags
}

// wanted is the set as configured; unknown tells that too much of it is not known yet to plan anything.
func (r *manifestResource) wanted(ctx context.Context, m manifestModel, prior *manifestModel) (set deploy.Set, unknown bool, diags diag.Diagnostics) {
	set, diags = r.frame(ctx, m)
	source, known, more := m.source(ctx)
	diags.Append(more...)
	if diags.HasError() {
		return set, false, diags
	}
	if !known || m.Clusters.IsUnknown() || m.Name.IsUnknown() || m.Namespace.IsUnknown() || m.Unreachable.IsUnknown() || m.ReplicaScheduling.IsUnknown() || m.unknown() ||
		!whollyKnown(m.Rollout) || m.Detail.IsUnknown() || m.ManifestsWOVersion.IsUnknown() || m.ValuesWOVersion.IsUnknown() {
		return set, true, diags
	}
	set.Policies, more = m.policies()
	diags.Append(more...)
	set.Wait.Checks, more = m.healthChecks(ctx)
	if diags.Append(more...); diags.HasError() {
		return set, false, diags
	}
	if m.writeOnlyUnknown() && (prior == nil || m.writeOnlyVersion() != prior.writeOnlyVersion()) {
		return set, true, diags
	}
	clusters, parts, more := clustersFromMap(ctx, m.Clusters)
	diags.Append(more...)
	set.Clusters, set.UnknownAccess, set.UnknownUID = clusters, map[string]bool{}, map[string]bool{}
	for name := range clusters {
		// Which rules hold for a cluster may depend on a label that is not known yet; then nothing is known of it.
		undecided, err := set.Undecided(clusters[name], parts[name])
		if err != nil {
			diags.AddAttributeError(path.Root("rules"), "A selector cannot be evaluated", err.Error())
		}
		set.UnknownAccess[name] = undecided
	}
	set.WriteOnlyVersion, set.WriteOnlyUnknown = m.writeOnlyVersion(), m.writeOnlyUnknown()
	set.Source, set.Revision = source, source.Revision()
	var open []string
	if set.Rollout, open, more = m.rollout(ctx, clusters, parts); len(open) > 0 {
		for _, name := range open {
			set.UnknownAccess[name] = true
		}
	}
	diags.Append(more...)
	if digests := prior != nil && prior.anyDigests(); digests || prior != nil && (set.Rollout != nil || !prior.Rollout.IsNull()) {
		// Nobody else asks what the state's manifests say, and to tell takes as long as to read the configured ones.
		if set.Before, set.BeforeRevision = prior.said(ctx); digests {
			set.Remember()
		}
	}
	diags.Append(m.strayValues(clusters)...)
	source.Sensitive = set.Sensitive
	render, more := renderer(source)
	if diags.Append(more...); diags.HasError() {
		return set, false, diags
	}
	undecided, errs := set.Render(render, parts)
	diags.Append(renderDiagnostics(errs)...)
	if set.Divide && (len(undecided) > 0 || slices.ContainsFunc(slices.Collect(maps.Values(parts)), unknownShare)) {
		// What one cluster gets depends on the shares and the objects of all.
		for name := range clusters {
			set.UnknownAccess[name] = true
		}
	}
	for name, part := range parts {
		for field, to := range map[string]map[string]bool{"access": set.UnknownAccess, "mode": set.UnknownAccess, "unreachable": set.UnknownAccess, "uid": set.UnknownUID} {
			if part[placement.Part{Field: field}] {
				to[name] = true
			}
		}
	}
	return set, false, diags
}

// unknownShare tells whether the cluster's share of replicas is not known yet.
func unknownShare(unknown placement.Unknown) bool {
	return unknown.Field("weight") || unknown.Field("min_replicas") || unknown.Field("max_replicas")
}

// frame is the part of the set that needs neither manifests nor clusters.
func (r *manifestResource) frame(ctx context.Context, m manifestModel) (deploy.Set, diag.Diagnostics) {
	set := deploy.Set{
		Name: m.Name.ValueString(), Owner: r.data.owner, Instance: m.Instance.ValueString(), Namespace: m.Namespace.ValueString(),
		Inventory: r.data.inventory.namespace, Namespaced: r.data.inventory.namespaced, Unreachable: fleet.UnreachablePolicy(m.Unreachable.ValueString()),
		Judged: !m.Policies.IsNull(), Wait: deploy.Wait{Ready: true}, Divide: m.ReplicaScheduling.ValueString() == replicasDivided,
	}
	var diags diag.Diagnostics
	var inv inventoryModel
	if !m.Inventory.IsNull() && !m.Inventory.IsUnknown() {
		diags.Append(m.Inventory.As(ctx, &inv, basetypes.ObjectAsOptions{})...)
		if ns := inv.Namespace.ValueString(); ns != "" {
			set.Inventory = ns
		}
		if scope := inv.Scope.ValueString(); scope != "" {
			set.Namespaced = scope == inventoryScopeNamespaced
		}
	}
	timeout := defaultTimeout
	var wait waitModel
	if !m.Wait.IsNull() && !m.Wait.IsUnknown() {
		diags.Append(m.Wait.As(ctx, &wait, basetypes.ObjectAsOptions{})...)
		set.Wait.Ready = wait.Until.ValueString() != "none"
		if t := wait.Timeout.ValueString(); t != "" {
			timeout = t
		}
	}
	if !m.unknown() {
		diags.Append(m.into(ctx, &set)...)
	}
	var err error
	if set.Wait.Timeout, err = time.ParseDuration(timeout); err != nil {
		diags.AddAttributeError(path.Root("wait").AtName("timeout"), "Invalid duration", err.Error())
	}
	return set, diags
}

// known is the set as the state has it, with what is known of every cluster.
func (r *manifestResource) known(ctx context.Context, m manifestModel) (deploy.Set, deploy.State, diag.Diagnostics) {
	set, diags := r.frame(ctx, m)
	// What is wrong with them is said where they are configured; a state that has such must still be readable.
	set.Wait.Checks, _ = m.healthChecks(ctx)
	clusters, _, more := clustersFromMap(ctx, m.Clusters)
	diags.Append(more...)
	set.Clusters = clusters
	set.Rollout, _, _ = m.rollout(ctx, clusters, nil)
	if m.anyDigests() {
		set.Before, set.BeforeRevision = m.said(ctx)
		set.Remember()
	}
	state, more := m.state(ctx, clusters)
	diags.Append(more...)
	return set, state, diags
}
