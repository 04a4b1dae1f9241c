package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

type rolloutModel struct {
	Waves            types.List   `tfsdk:"waves"`
	MaxConcurrency   types.String `tfsdk:"max_concurrency"`
	MaxFailures      types.String `tfsdk:"max_failures"`
	ProgressDeadline types.String `tfsdk:"progress_deadline"`
	OnFailure        types.String `tfsdk:"on_failure"`
	Through          types.String `tfsdk:"through"`
}

type waveModel struct {
	Name           types.String `tfsdk:"name"`
	Group          types.String `tfsdk:"group"`
	Clusters       types.Object `tfsdk:"clusters"`
	MaxConcurrency types.String `tfsdk:"max_concurrency"`
	Soak           types.String `tfsdk:"soak"`
}

func rolloutAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Apply in waves: the next wave begins when every cluster of the one before is healthy at what was applied to it, or has failed within what `max_failures` tolerates. " +
			"Without it all clusters are applied to at once, and the failure of one stops no other. Every cluster keeps the revision that it runs, and the one it returns to, in its inventory.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"waves": optionalItems("The waves, in order. Clusters that are in none form the last one, called `rest`. A cluster that is in two goes with the first. A wave without clusters, or whose clusters all cannot be "+
				"reached or are in maintenance, is passed over.", map[string]schema.Attribute{
				"name":     optionalText("Names the wave in `through` and in messages. Defaults to `group`; needed with `clusters`."),
				"group":    optionalText("The decision group, as `groups` of a `fleet_placement` gives it to clusters.", stringvalidator.LengthAtLeast(1)),
				"clusters": selectorAttribute("Or a selector, by which the wave takes clusters.", stableClusterAttributes()),
				"max_concurrency": optionalText("How many of the wave's clusters may be in flight, which is being written to or not healthy yet: a number such as `3`, or a share such as `25%` of those that can be reached " +
					"and are active, rounded down, and at least one. Defaults to the rollout's."),
				"soak": optionalText("How long the wave's clusters have to be healthy before the next wave begins, as a Go duration. One that loses its health meanwhile begins anew, until `progress_deadline`. Defaults to not at all.", durationValidator{}),
			}),
			"max_concurrency": optionalText("The same for waves that have none of their own. Defaults to `100%`."),
			"max_failures": optionalText("How many clusters may fail over the whole rollout before it stops: a number, or a share of all that can be reached and are active, up to `through`, rounded down. A wave in which not " +
				"one cluster became healthy has failed, whatever is tolerated. Clusters that cannot be reached count in nothing. Defaults to `0`."),
			"progress_deadline": optionalText("How long a cluster may take to be written to and to become healthy, as a Go duration; then it has failed, and holds no slot any more. Defaults to `wait.timeout` after it was written.", durationValidator{}),
			"on_failure": word("What becomes of the rollout when it fails. `halt` (default): nothing more is begun; clusters that are done keep the new revision, the others theirs; the next apply resumes. `rollback`: besides, the clusters that "+
				"were touched return to the revision they ran, objects and all. `continue`: the others go on, and the failures are reported in the end.", rollout.Halt, rollout.Rollback, rollout.Continue),
			"through": optionalText("The last wave that gets the revision. The clusters behind it keep exactly the revision they run, and drift there is judged and corrected by that, until a later apply says more: promotion is a change of this argument. " +
				"A cluster that is new to the set gets there what its wave runs. Defaults to all waves."),
		},
	}
}

// rollout reads the strategy; nil without diagnostics where there is none, or it is not known yet. open are clusters of which it is not known which wave they are in.
func (m manifestModel) rollout(ctx context.Context, clusters map[string]fleet.Cluster, unknown map[string]placement.Unknown) (strategy *rollout.Strategy, open []string, diags diag.Diagnostics) {
	if m.Rollout.IsNull() || m.Rollout.IsUnknown() {
		return nil, nil, nil
	}
	root := path.Root("rollout")
	var model rolloutModel
	if diags = m.Rollout.As(ctx, &model, basetypes.ObjectAsOptions{}); diags.HasError() {
		return nil, nil, diags
	}
	count := func(at path.Path, text types.String, parse func(string) (rollout.Count, error)) (c rollout.Count) {
		if text.IsNull() || text.IsUnknown() {
			return c
		}
		c, err := parse(text.ValueString())
		if err != nil {
			diags.AddAttributeError(at, "Invalid rollout", at.String()+": "+sentence(err.Error()))
		}
		return c
	}
	s := rollout.Strategy{
		MaxConcurrency: count(root.AtName("max_concurrency"), model.MaxConcurrency, rollout.ParseConcurrency), MaxFailures: count(root.AtName("max_failures"), model.MaxFailures, rollout.ParseCount),
		ProgressDeadline: durationOf(model.ProgressDeadline), OnFailure: rollout.OnFailure(model.OnFailure.ValueString()), Through: model.Through.ValueString(),
	}
	for i, element := range model.Waves.Elements() {
		at := root.AtName("waves").AtListIndex(i)
		one, undecided, more := waveOf(ctx, at, element, clusters, unknown)
		diags.Append(more...)
		open = append(open, undecided...)
		if one.wave.Name == "" && !one.known {
			// It will be checked when it is known.
			return nil, nil, diags
		}
		one.wave.MaxConcurrency = count(at.AtName("max_concurrency"), one.model.MaxConcurrency, rollout.ParseConcurrency)
		s.Waves = append(s.Waves, one.wave)
	}
	if diags.HasError() || !whollyKnown(m.Rollout) {
		return nil, nil, diags
	}
	if err := s.Validate(); err != nil {
		for _, e := range fleet.Flatten(err) {
			diags.AddAttributeError(root, "Invalid rollout", sentence(e.Error()))
		}
		return nil, nil, diags
	}
	return &s, open, diags
}

// givenWave is a wave as it is configured, and whether what matters of it is known.
type givenWave struct {
	model waveModel
	wave  rollout.Wave
	known bool
}

// waveOf reads a wave and finds its members among the clusters. undecided are those of which it is not known whether they are.
func waveOf(ctx context.Context, at path.Path, element attr.Value, clusters map[string]fleet.Cluster, unknown map[string]placement.Unknown) (one givenWave, undecided []string, diags diag.Diagnostics) {
	object, ok := element.(types.Object)
	if !ok || object.IsNull() {
		diags.AddAttributeError(at, "Invalid rollout", at.String()+": The item is null. Leave it out.")
		return one, nil, diags
	}
	one.known = whollyKnown(object)
	if object.IsUnknown() {
		return one, nil, nil
	}
	diags = object.As(ctx, &one.model, basetypes.ObjectAsOptions{})
	w := one.model
	switch {
	case !one.known:
	case w.Group.IsNull() == w.Clusters.IsNull():
		diags.AddAttributeError(at, "Invalid rollout", at.String()+": A wave takes its clusters by group or by clusters, one of the two.")
	case w.Name.IsNull() && w.Group.IsNull():
		diags.AddAttributeError(at.AtName("name"), "Invalid rollout", at.String()+": A wave that takes its clusters by a selector needs a name.")
	}
	one.wave = rollout.Wave{Name: cmp.Or(w.Name.ValueString(), w.Group.ValueString()), Soak: durationOf(w.Soak)}
	selector, more := selectorAt(ctx, at, w.Clusters)
	if diags.Append(more...); diags.HasError() || !one.known {
		return one, nil, diags
	}
	for _, name := range sortedNames(clusters) {
		c := clusters[name]
		switch {
		case selector == nil && unknown[name].Field("group"):
			undecided = append(undecided, name)
		case selector == nil && c.Group == w.Group.ValueString():
			one.wave.Clusters = append(one.wave.Clusters, name)
		case selector == nil:
		default:
			verdict, err := selector.Judge(c, unknown[name])
			switch {
			case err != nil:
				diags.AddAttributeError(at.AtName("clusters"), "A selector cannot be evaluated", err.Error())
			case verdict.Outcome == placement.Undecided:
				undecided = append(undecided, name)
			case verdict.Outcome == placement.Matches:
				one.wave.Clusters = append(one.wave.Clusters, name)
			}
		}
	}
	return one, undecided, diags
}

// outlineDiagnostics says what is worth knowing before the waves begin.
func outlineDiagnostics(notes []string) diag.Diagnostics {
	var diags diag.Diagnostics
	if len(notes) > 0 {
		for i := range notes {
			notes[i] = strings.ToUpper(notes[i][:1]) + notes[i][1:] + "."
		}
		diags.AddWarning("About the waves of this rollout", strings.Join(slices.Compact(notes), "\n"))
	}
	return diags
}

// endedDiagnostics is the error in which a rollout ended early.
func endedDiagnostics(ended *rollout.Explanation, creating bool) diag.Diagnostics {
	var diags diag.Diagnostics
	text := ended.Detail
	if creating {
		text += "\n\n" + replacementText
	}
	diags.AddError(ended.Title, text)
	return diags
}
