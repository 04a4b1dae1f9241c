package provider

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// How much of the objects stands in objects.
const (
	detailAuto   = "auto"
	detailFields = "fields"
	detailDigest = "digest"
)

// fieldsLimit is how many objects there may be on all clusters together, for detail = "auto" to keep their fields.
const fieldsLimit = 3000

// allObjects is the entry of a cluster that stands for all its objects. It is the key of no object.
const allObjects = "all objects"

func detailAttribute() schema.StringAttribute {
	return word("How much of the objects stands in `objects`. `fields`: the fields of each. `digest`: for each cluster one entry, `"+allObjects+"`, with a digest of all its objects and their number, and an entry with the fields of each object "+
		"that has drifted or that the plan changes; `changes` says the same in both. It is for large fleets: Terraform's own work, the state and the plan grow with every entry. `auto` (default): `fields` up to 3,000 objects on all clusters together.",
		detailAuto, detailFields, detailDigest)
}

// digests tells whether only digests stand in objects, of so many of them.
func (m manifestModel) digests(objects int) bool {
	switch m.Detail.ValueString() {
	case detailDigest:
		return true
	case detailFields:
		return false
	}
	return objects > fieldsLimit
}

// inDigests tells whether the state has digests of a cluster's objects.
func (m manifestModel) inDigests(cluster string) bool {
	inner, ok := m.Objects.Elements()[cluster].(types.Map)
	if !ok {
		return false
	}
	_, digested := inner.Elements()[allObjects]
	return digested
}

// anyDigests tells whether it has of any.
func (m manifestModel) anyDigests() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(m.Objects.Elements())), m.inDigests)
}

// summed is what objects has of a cluster in digests: one entry for all, and one for each object that is to have its own. Fields that are nil are not known yet,
// as is the digest of what is new.
func summed(objects map[fleet.ObjectKey]ssa.Fields, own func(fleet.ObjectKey, ssa.Fields) bool, fresh bool) types.Map {
	texts := map[string]attr.Value{}
	var said []string
	known := !fresh
	for key, fields := range objects {
		switch {
		case fields == nil:
			known = false
			if own(key, fields) {
				texts[key.String()] = types.StringUnknown()
			}
			continue
		case !fields.IsUnread() && own(key, fields):
			texts[key.String()] = types.StringValue(fields.JSON())
		}
		said = append(said, key.String()+" "+fields.Hash())
	}
	slices.Sort(said)
	texts[allObjects] = types.StringUnknown()
	if known {
		texts[allObjects] = types.StringValue(ssa.Text(map[string]string{"digest": ssa.Digest(strings.Join(said, "\n")), "objects": fleet.Plural(len(said), "object")}))
	}
	return types.MapValueMust(types.StringType, texts)
}

// asApplied tells whether an object is as it was applied, and whether that is known of it at all.
func asApplied(applied deploy.Applied, key fleet.ObjectKey, fields ssa.Fields) (same, recorded bool) {
	record, recorded := applied.Objects[key.String()]
	return recorded && record.Stale == "" && fields.Hash() == record.Result, recorded
}

// changing are the objects of a plan that have an entry of their own in digests.
func changing(c deploy.ClusterPlan) map[fleet.ObjectKey]bool {
	changed := map[fleet.ObjectKey]bool{}
	for key, o := range c.Objects {
		switch o.Action {
		case deploy.ActionUpdate, deploy.ActionCorrect, deploy.ActionAdopt, deploy.ActionReplace:
			changed[key] = true
		case deploy.ActionNone, deploy.ActionCreate, deploy.ActionDelete, deploy.ActionRelease, deploy.ActionForget:
		}
	}
	return changed
}

// summedPlan is what objects will have of a cluster in digests.
func summedPlan(c deploy.ClusterPlan, applied deploy.Applied) attr.Value {
	objects := map[fleet.ObjectKey]ssa.Fields{}
	fresh := false
	for key, o := range c.Objects {
		switch {
		case o.Goes():
		case o.Action == deploy.ActionCreate:
			fresh = true
		default:
			objects[key] = o.Fields
		}
	}
	changed := changing(c)
	return summed(objects, func(key fleet.ObjectKey, fields ssa.Fields) bool {
		same, recorded := asApplied(applied, key, fields)
		// An object that has no record, as after a lost state, has one after the apply.
		return changed[key] || fields != nil && recorded && !same
	}, fresh)
}

// summedState is what objects has of a cluster in digests. changed are the objects that the apply before has changed, if there was one.
func summedState(c deploy.ClusterState, changed map[fleet.ObjectKey]bool) attr.Value {
	return summed(c.Objects, func(key fleet.ObjectKey, fields ssa.Fields) bool {
		same, _ := asApplied(c.Applied, key, fields)
		return changed[key] || !same
	}, false)
}

// objectCount is how many objects the plan leaves, as far as that can be told.
func objectCount(todo deploy.Plan) int {
	n := 0
	for _, c := range todo.Clusters {
		if c.Objects == nil {
			n += c.New
		}
		for _, o := range c.Objects {
			if !o.Goes() {
				n++
			}
		}
	}
	return n
}

// unread gives the objects of which only digests are known their place in a cluster's state.
func unread(c *deploy.ClusterState) {
	absent := map[string]bool{}
	for _, key := range c.Applied.Absent {
		absent[key] = true
	}
	for text, record := range c.Applied.Objects {
		key, err := fleet.ParseObjectKey(text)
		if err != nil || absent[text] || c.Objects[key] != nil {
			continue
		}
		if c.Objects == nil {
			c.Objects = map[fleet.ObjectKey]ssa.Fields{}
		}
		c.Objects[key] = ssa.Unread(record.Result)
	}
}

// absentFrom are the objects with a record that are not there.
func absentFrom(c deploy.ClusterState) []string {
	var absent []string
	for text := range c.Applied.Objects {
		if key, err := fleet.ParseObjectKey(text); err != nil || c.Objects[key] == nil {
			absent = append(absent, text)
		}
	}
	slices.Sort(absent)
	return absent
}
