package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// marksKey is where a cluster's private data notes which of its marks are the hub's.
const marksKey = "hub_marks"

// hubMarks tells which of a cluster's labels and taints are those of its ManagedCluster. A read cannot tell it from the state, which has them like those that the
// configuration gives.
type hubMarks struct {
	Labels bool `json:"labels,omitempty"`
	Taints bool `json:"taints,omitempty"`
}

// privateData is the part of a resource that is the provider's own.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func (m hubMarks) write(ctx context.Context, private privateData) diag.Diagnostics {
	text, err := json.Marshal(m)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("The cluster's private data could not be written", err.Error())}
	}
	return private.SetKey(ctx, marksKey, text)
}

func readMarks(ctx context.Context, private privateData) (m hubMarks, diags diag.Diagnostics) {
	text, diags := private.GetKey(ctx, marksKey)
	if len(text) == 0 {
		return m, diags
	}
	if err := json.Unmarshal(text, &m); err != nil {
		diags.AddError("The private data of the cluster does not parse", fmt.Sprintf("%s: %v. Please report this to the provider's developers.", marksKey, err))
	}
	return m, diags
}

// planMarks plans labels and taints that the configuration does not give: those of the ManagedCluster where there is one and it is not this resource's, and
// otherwise none. noted are those that were the hub's before.
func (m *clusterModel) planMarks(config clusterModel, prior *clusterModel, noted hubMarks) hubMarks {
	from := m.mayBeBehindHub() && !m.registers()
	again := prior == nil || m.contact(*prior) == contactConnection
	marks := hubMarks{Labels: from && config.Labels.IsNull(), Taints: from && config.Taints.IsNull()}
	switch {
	case !config.Labels.IsNull():
	case !marks.Labels:
		m.Labels = types.MapNull(types.StringType)
	case again || !noted.Labels:
		m.Labels = types.MapUnknown(types.StringType)
	default:
		m.Labels = prior.Labels
	}
	switch {
	case !config.Taints.IsNull():
	case !marks.Taints:
		m.Taints = types.ListNull(taintType)
	case again || !noted.Taints:
		m.Taints = types.ListUnknown(taintType)
	default:
		m.Taints = prior.Taints
	}
	return marks
}

// openMarks are the marks that the plan left open.
func (m *clusterModel) openMarks() hubMarks {
	return hubMarks{Labels: m.Labels.IsUnknown(), Taints: m.Taints.IsUnknown()}
}

// setMarks records what the hub says of the cluster.
func (m *clusterModel) setMarks(ctx context.Context, client *cluster.Client, marks hubMarks) diag.Diagnostics {
	var diags diag.Diagnostics
	_, managed := client.Hub()
	if managed == nil {
		return diags
	}
	found := cluster.FromManaged(managed)
	if marks.Labels {
		labels, d := types.MapValueFrom(ctx, types.StringType, found.Labels)
		diags.Append(d...)
		m.Labels = labels
	}
	if marks.Taints {
		m.Taints = taintsValue(found.Taints)
	}
	return diags
}

var (
	taintTypes = map[string]attr.Type{"key": types.StringType, "value": types.StringType, "effect": types.StringType, "added": types.StringType}
	taintType  = types.ObjectType{AttrTypes: taintTypes}
)

// taintsValue is a list of taints as configurations have it.
func taintsValue(taints []fleet.Taint) types.List {
	list := make([]attr.Value, 0, len(taints))
	for _, t := range taints {
		added := types.StringNull()
		if !t.Added.IsZero() {
			added = types.StringValue(t.Added.UTC().Format("2006-01-02T15:04:05Z07:00"))
		}
		list = append(list, types.ObjectValueMust(taintTypes, map[string]attr.Value{
			"key": types.StringValue(t.Key), "value": orNull(t.Value), "effect": types.StringValue(string(t.Effect)), "added": added,
		}))
	}
	return types.ListValueMust(taintType, list)
}
