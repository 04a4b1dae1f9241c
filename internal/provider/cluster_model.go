package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// clusterModel is a cluster in configuration, plan and state.
type clusterModel struct {
	Name       types.String `tfsdk:"name"`
	Labels     types.Map    `tfsdk:"labels"`
	Taints     types.List   `tfsdk:"taints"`
	Properties types.Map    `tfsdk:"properties"`
	Connect    types.Object `tfsdk:"connect"`
	Discover   types.Set    `tfsdk:"discover"`

	Register    types.Bool   `tfsdk:"register"`
	Unreachable types.String `tfsdk:"unreachable"`
	Mode        types.String `tfsdk:"mode"`
	OnRemoval   types.String `tfsdk:"on_removal"`

	UID               types.String `tfsdk:"uid"`
	Access            types.String `tfsdk:"access"`
	KubernetesVersion types.String `tfsdk:"kubernetes_version"`
	Minor             types.String `tfsdk:"minor"`
	Platform          types.String `tfsdk:"platform"`
	Reachable         types.Bool   `tfsdk:"reachable"`
	Facts             types.Object `tfsdk:"facts"`
}

// active tells whether the cluster is contacted at all. An unknown mode may yet be active.
func (m *clusterModel) active() bool {
	return m.Mode.IsNull() || m.Mode.IsUnknown() || m.Mode.ValueString() == string(fleet.ModeActive)
}

// own is the resource's own connection; known is false when any part of it is not known yet.
func (m *clusterModel) own() (c cluster.Connection, known bool) {
	if m.Connect.IsNull() {
		return cluster.Connection{}, true
	}
	return connectionFrom(m.Connect)
}

// behindHub tells whether the cluster is reached through a hub, as far as that is known.
func (m *clusterModel) behindHub() bool {
	access, err := cluster.ParseAccess(m.Access.ValueString())
	return err == nil && access.Connection.OCM != nil
}

// mayBeBehindHub is behindHub where it is not known yet how the cluster is reached: a connection of its own that says how is not through a hub unless it says so.
func (m *clusterModel) mayBeBehindHub() bool {
	if !m.Access.IsUnknown() {
		return m.behindHub()
	}
	if m.Connect.IsNull() || m.Connect.IsUnknown() {
		return true
	}
	ocm := m.Connect.Attributes()["ocm"]
	return ocm != nil && !ocm.IsNull()
}

// factless tells that no facts are found out about the cluster.
func (m *clusterModel) factless() bool {
	return len(m.Discover.Elements()) == 0 && !m.Discover.IsUnknown() && !m.Access.IsUnknown() && !m.behindHub()
}

// wants tells whether discover asks for one of the given facts.
func (m *clusterModel) wants(facts ...string) bool {
	for _, element := range m.Discover.Elements() {
		if text, known := knownText(element); known && slices.Contains(facts, text) {
			return true
		}
	}
	return false
}

// setVersion takes over what the cluster says it runs.
func (m *clusterModel) setVersion(v cluster.Version) {
	for _, text := range []struct {
		into *types.String
		from string
	}{{&m.KubernetesVersion, v.Git}, {&m.Minor, v.Minor}, {&m.Platform, v.Platform}} {
		// A hub does not know all of it.
		if *text.into = types.StringValue(text.from); text.from == "" {
			*text.into = types.StringNull()
		}
	}
}

// settle makes null of what is still unknown, for a cluster that did not say it.
func (m *clusterModel) settle() {
	for _, text := range []*types.String{&m.UID, &m.Access, &m.KubernetesVersion, &m.Minor, &m.Platform} {
		if text.IsUnknown() {
			*text = types.StringNull()
		}
	}
	if m.Reachable.IsUnknown() {
		m.Reachable = types.BoolValue(false)
	}
	if m.Facts.IsUnknown() {
		m.Facts = noFacts()
	}
	if m.Labels.IsUnknown() {
		m.Labels = types.MapNull(types.StringType)
	}
	if m.Taints.IsUnknown() {
		m.Taints = types.ListNull(taintType)
	}
}

func factTypes() map[string]attr.Type {
	return map[string]attr.Type{
		"nodes":       types.Int64Type,
		"allocatable": types.MapType{ElemType: types.StringType},
		"regions":     types.ListType{ElemType: types.StringType},
		"zones":       types.ListType{ElemType: types.StringType},
		"apis":        types.ListType{ElemType: types.StringType},
		"claims":      types.MapType{ElemType: types.StringType},
	}
}

func noFacts() types.Object { return types.ObjectNull(factTypes()) }

// setFacts records what was discovered, and null for what was not asked for.
func (m *clusterModel) setFacts(ctx context.Context, facts fleet.Facts) diag.Diagnostics {
	var diags diag.Diagnostics
	if len(m.Discover.Elements()) == 0 && facts.Claims == nil {
		m.Facts = noFacts()
		return diags
	}
	values := map[string]attr.Value{
		"nodes":       types.Int64Null(),
		"allocatable": types.MapNull(types.StringType),
		"regions":     types.ListNull(types.StringType),
		"zones":       types.ListNull(types.StringType),
		"apis":        types.ListNull(types.StringType),
		"claims":      types.MapNull(types.StringType),
	}
	list := func(name string, texts []string) {
		// A list that was asked for and is empty is not null.
		value, d := types.ListValueFrom(ctx, types.StringType, append([]string{}, texts...))
		diags.Append(d...)
		values[name] = value
	}
	if facts.Claims != nil {
		value, d := types.MapValueFrom(ctx, types.StringType, facts.Claims)
		diags.Append(d...)
		values["claims"] = value
	}
	if m.wants(discoverNodes) && facts.Claims == nil {
		values["nodes"] = types.Int64Value(facts.Nodes)
		list("regions", facts.Regions)
		list("zones", facts.Zones)
	}
	if m.wants(discoverCapacity) || facts.Claims != nil && facts.Allocatable != nil {
		value, d := types.MapValueFrom(ctx, types.StringType, facts.Allocatable)
		diags.Append(d...)
		values["allocatable"] = value
	}
	if m.wants(discoverAPIs) && facts.Claims == nil {
		list("apis", facts.APIs)
	}
	object, d := types.ObjectValue(factTypes(), values)
	diags.Append(d...)
	m.Facts = object
	return diags
}
