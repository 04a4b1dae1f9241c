package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// registers tells whether the cluster's ManagedCluster on the hub is this resource's.
func (m *clusterModel) registers() bool { return m.Register.ValueBool() }

// registration is what the hub is to say of the cluster.
func (m *clusterModel) registration() cluster.Registration {
	var out cluster.Registration
	if m == nil {
		return out
	}
	out.Labels = map[string]string{}
	for key, value := range m.Labels.Elements() {
		if text, known := knownText(value); known && !value.IsNull() {
			out.Labels[key] = text
		}
	}
	reader := clusterReader{at: path.Empty(), unknown: nil, attributes: map[string]attr.Value{"taints": m.Taints}}
	out.Taints = reader.taints()
	return out
}

// registerAtHub creates and accepts the cluster on its hub, where the resource is to do that. prior is what was registered before.
func (r *clusterResource) registerAtHub(ctx context.Context, m, prior *clusterModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if !m.registers() {
		return diags
	}
	if !m.behindHub() {
		diags.AddAttributeError(path.Root("register"), "Nowhere to register", fmt.Sprintf("register is for clusters behind a hub, and cluster %q is reached directly. Give its hub with connect = { ocm = { hub = ..., cluster = ... } }, or leave register out.", m.Name.ValueString()))
		return diags
	}
	if prior != nil && !prior.registers() {
		prior = nil
	}
	if err := r.data.pool.Register(ctx, m.Name.ValueString(), m.Access.ValueString(), m.registration(), prior.registration()); err != nil {
		return clusterDiagnostics(fmt.Errorf("register: %w", err), path.Root("connect"))
	}
	return diags
}

// unregister takes the cluster from its hub, where the resource has put it there. The hub then deletes all that is on the cluster through it, so nothing may be left
// there, unless the cluster is gone for good or never answered.
func (r *clusterResource) unregister(ctx context.Context, m clusterModel) diag.Diagnostics {
	if !m.registers() || !m.behindHub() {
		return nil
	}
	gone := fleet.Mode(m.Mode.ValueString()) == fleet.ModeDecommissioned || m.UID.ValueString() == ""
	if err := r.data.pool.Unregister(ctx, m.Name.ValueString(), m.Access.ValueString(), m.UID.ValueString(), gone); err != nil {
		return clusterDiagnostics(fmt.Errorf("unregister: %w", err), path.Root("connect"))
	}
	return nil
}

// warnOfDeniedAtHub is warnOfDenied for a cluster behind a hub, where sets are works in the cluster's namespace.
func (r *clusterResource) warnOfDeniedAtHub(ctx context.Context, hub *cluster.Client, managed string) diag.Diagnostics {
	var needs []authorizationv1.ResourceAttributes
	for _, verb := range []string{"get", "create", "update", "delete"} {
		needs = append(needs, authorizationv1.ResourceAttributes{Verb: verb, Group: "work.open-cluster-management.io", Resource: "manifestworks", Namespace: managed})
	}
	for _, verb := range []string{"get", "create", "patch", "delete"} {
		needs = append(needs, authorizationv1.ResourceAttributes{Verb: verb, Resource: "secrets", Namespace: managed})
	}
	needs = append(needs, authorizationv1.ResourceAttributes{Verb: "list", Group: "work.open-cluster-management.io", Resource: "manifestworks"})
	denied, err := hub.Can(ctx, needs)
	if err != nil {
		return clusterWarnings(err, "Whether the permissions suffice could not be found out. Sets tell where they do not.")
	}
	var diags diag.Diagnostics
	if len(denied) > 0 {
		lines := make([]string, 0, len(denied))
		for _, d := range denied {
			lines = append(lines, "  "+d.String())
		}
		slices.Sort(lines)
		diags.AddWarning(fmt.Sprintf("Permissions on the hub that sets for cluster %q may need are missing", managed),
			"This connection is not allowed to\n\n"+strings.Join(lines, "\n")+"\n\nSets that need this fail on this cluster; others do not.")
	}
	return diags
}
