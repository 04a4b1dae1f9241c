package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

var (
	objectsOfCluster = types.MapType{ElemType: types.StringType}
	summaryType      = types.ObjectType{AttrTypes: map[string]attr.Type{
		"create": types.Int64Type, "update": types.Int64Type, "delete": types.Int64Type, "replace": types.Int64Type, "adopt": types.Int64Type, "clusters": types.Int64Type,
	}}
	statusType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"phase": types.StringType, "health": types.StringType, "message": types.StringType, "revision": types.StringType, "wave": types.StringType,
	}}
)

// state reads what the resource knows of every cluster.
func (m manifestModel) state(ctx context.Context, clusters map[string]fleet.Cluster) (deploy.State, diag.Diagnostics) {
	var diags diag.Diagnostics
	broken := func(what, cluster string, err error) {
		diags.AddError("The state of this resource does not parse",
			fmt.Sprintf("%s of cluster %q: %v. The state was written by another version, or edited.", what, cluster, err))
	}
	state := deploy.State{}
	objects := m.objectTexts()
	applied := map[string]string{}
	if !m.Applied.IsNull() && !m.Applied.IsUnknown() {
		diags.Append(m.Applied.ElementsAs(ctx, &applied, false)...)
	}
	names := map[string]bool{}
	for _, keys := range []map[string]attr.Value{m.Objects.Elements(), m.Applied.Elements(), m.Status.Elements()} {
		for name := range keys {
			names[name] = true
		}
	}
	for name := range names {
		c := deploy.ClusterState{Cluster: clusters[name], Status: m.statusOf(name), Name: m.Name.ValueString()}
		var err error
		if c.Applied, err = deploy.ParseApplied(applied[name]); err != nil {
			broken("applied", name, err)
		}
		if c.Applied.Name != "" {
			c.Name = c.Applied.Name
		}
		if c.Cluster.Name == "" {
			c.Cluster = fleet.Cluster{Name: name, Access: c.Applied.Access, UID: c.Applied.UID, Unreachable: c.Applied.Unreachable, Mode: c.Applied.Mode}
		}
		for text, fields := range objects[name] {
			if text == allObjects {
				continue
			}
			key, err := fleet.ParseObjectKey(text)
			if err != nil {
				broken("objects", name, err)
				continue
			}
			if c.Objects == nil {
				c.Objects = map[fleet.ObjectKey]ssa.Fields{}
			}
			if c.Objects[key], err = ssa.ParseFields(fields); err != nil {
				broken(text, name, err)
			}
		}
		if m.inDigests(name) {
			unread(&c)
		}
		state[name] = c
	}
	return state, diags
}

// objectTexts are the known entries of objects.
func (m manifestModel) objectTexts() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, v := range m.Objects.Elements() {
		inner, ok := v.(types.Map)
		if !ok || inner.IsUnknown() || inner.IsNull() {
			continue
		}
		out[name] = map[string]string{}
		for key, text := range inner.Elements() {
			if s, ok := text.(types.String); ok && !s.IsUnknown() && !s.IsNull() {
				out[name][key] = s.ValueString()
			}
		}
	}
	return out
}

// expected are the values a plan announced as certain.
func (m manifestModel) expected() (deploy.Expected, diag.Diagnostics) {
	var diags diag.Diagnostics
	out := deploy.Expected{}
	for name, objects := range m.objectTexts() {
		out[name] = map[fleet.ObjectKey]ssa.Fields{}
		for text, fields := range objects {
			if text == allObjects {
				continue
			}
			key, err := fleet.ParseObjectKey(text)
			if err == nil {
				out[name][key], err = ssa.ParseFields(fields)
			}
			if err != nil {
				diags.AddError("The plan of this resource does not parse", err.Error())
			}
		}
	}
	return out, diags
}

func (m manifestModel) statusOf(cluster string) deploy.Status {
	object, ok := m.Status.Elements()[cluster].(types.Object)
	if !ok {
		return deploy.Status{}
	}
	text := func(name string) string {
		s, ok := object.Attributes()[name].(types.String)
		if !ok {
			return ""
		}
		return s.ValueString()
	}
	return deploy.Status{
		Phase: deploy.Phase(text("phase")), Health: health.State(text("health")), Message: text("message"), Revision: text("revision"), Wave: text("wave"),
	}
}

func statusValue(s deploy.Status) types.Object {
	return types.ObjectValueMust(statusType.AttrTypes, map[string]attr.Value{
		"phase": orNull(string(s.Phase)), "health": orNull(string(s.Health)), "message": orNull(s.Message),
		"revision": orNull(s.Revision), "wave": orNull(s.Wave),
	})
}

// orNull is the text, and null for none.
func orNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// observe writes what was found on the clusters into the computed attributes. changes is not among them: only a plan says
// what changes. done is the plan that was carried out; nil where there was none.
func (m *manifestModel) observe(set deploy.Set, state deploy.State, done *deploy.Plan) diag.Diagnostics {
	var diags diag.Diagnostics
	count := 0
	for _, c := range state {
		count += len(c.Objects)
	}
	if done != nil {
		count = objectCount(*done)
	}
	digests := m.digests(count)
	objects, applied, status := map[string]attr.Value{}, map[string]attr.Value{}, map[string]attr.Value{}
	ready := true
	for _, name := range slices.Sorted(maps.Keys(state)) {
		c := state[name]
		c.Applied.Absent = nil
		if digests || anyUnread(c.Objects) {
			var changed map[fleet.ObjectKey]bool
			if done != nil {
				changed = changing(done.Clusters[name])
			}
			c.Applied.Absent, objects[name] = absentFrom(c), summedState(c, changed)
		} else {
			objects[name] = fieldsOf(c.Objects)
		}
		if c.Applied.Name = ""; c.Name != set.Name {
			c.Applied.Name = c.Name
		}
		text, err := c.Applied.JSON()
		if err != nil {
			diags.AddError("The state could not be written", err.Error())
		}
		applied[name] = types.StringValue(text)
		status[name] = statusValue(c.Status)
		ready = ready && c.Status.Ready()
	}
	m.Instance = types.StringValue(set.Instance)
	m.Objects = types.MapValueMust(objectsOfCluster, objects)
	m.Applied = types.MapValueMust(types.StringType, applied)
	m.Status = types.MapValueMust(statusType, status)
	m.Ready = types.BoolValue(ready)
	m.ConflictingFields = conflictsValue(state)
	return diags
}

// fieldsOf is what objects has of a cluster in fields.
func fieldsOf(objects map[fleet.ObjectKey]ssa.Fields) types.Map {
	texts := map[string]attr.Value{}
	for key, fields := range objects {
		texts[key.String()] = types.StringValue(fields.JSON())
	}
	return types.MapValueMust(types.StringType, texts)
}

func anyUnread(objects map[fleet.ObjectKey]ssa.Fields) bool {
	for _, fields := range objects {
		if fields.IsUnread() {
			return true
		}
	}
	return false
}

// conflictsValue lists the fields that are left to other managers.
func conflictsValue(state deploy.State) types.Map {
	clusters := map[string]attr.Value{}
	for name, c := range state {
		objects := map[string]attr.Value{}
		for key, record := range c.Applied.Objects {
			if len(record.Yielded) > 0 {
				objects[key] = types.StringValue(ssa.Text(record.Yielded))
			}
		}
		if len(objects) > 0 {
			clusters[name] = types.MapValueMust(types.StringType, objects)
		}
	}
	return types.MapValueMust(objectsOfCluster, clusters)
}
