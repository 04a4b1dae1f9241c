package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// manifestDiagnostics says what is wrong with the texts, one diagnostic per text, each pointing at it.
func manifestDiagnostics(err error, summary string) diag.Diagnostics {
	var diags diag.Diagnostics
	byText := map[int][]string{}
	for _, e := range flatten(err) {
		var m *manifest.Error
		if !errors.As(e, &m) {
			diags.AddAttributeError(path.Root("manifests"), summary, e.Error())
			continue
		}
		byText[m.Position.Manifest] = append(byText[m.Position.Manifest], m.Error())
	}
	for i, lines := range byText {
		diags.AddAttributeError(path.Root("manifests").AtListIndex(i), summary, strings.Join(lines, "\n"))
	}
	return diags
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, flatten(e)...)
	}
	return out
}

func readDiagnostics(problems deploy.Problems) diag.Diagnostics {
	var diags diag.Diagnostics
	if lost := problems.Warnings(); len(lost) > 0 {
		diags.AddWarning(clusterCount(len(lost.Clusters()))+" could not be read",
			lost.String()+"\n\nWhat is known of it is kept. Nothing is deleted because a cluster does not answer.")
	}
	if failed := problems.Errors(); len(failed) > 0 {
		diags.AddError("Reading the set failed on "+clusterCount(len(failed.Clusters())), failed.String())
	}
	return diags
}

// planDiagnostics says what stops a plan, what cannot be told, and what has drifted.
func planDiagnostics(problems deploy.Problems, plan deploy.Plan) diag.Diagnostics {
	var diags diag.Diagnostics
	var conflicts, others deploy.Problems
	for _, p := range problems.Errors() {
		var conflict *ssa.ConflictError
		if errors.As(p.Err, &conflict) {
			conflicts = append(conflicts, p)
		} else {
			others = append(others, p)
		}
	}
	if len(conflicts) > 0 {
		diags.AddError("Another manager owns fields this set wants to change", conflictText(conflicts)+
			"\n\nNothing was changed. Either remove the field from the manifest and so leave it to its manager, or have that manager give it up.")
	}
	if len(others) > 0 {
		diags.AddError("The set cannot be applied to "+clusterCount(len(others.Clusters())), others.String()+"\n\nNothing was changed.")
	}
	if notes := problems.Warnings(); len(notes) > 0 {
		diags.AddWarning("Before you apply", notes.String())
	}
	if text, clusters := driftText(plan); clusters > 0 {
		diags.AddWarning(fmt.Sprintf("Drift on %d of %s", clusters, clusterCount(len(plan.Clusters))), text+"\n\nApplying corrects it.")
	}
	return diags
}

func conflictText(problems deploy.Problems) string {
	var lines []string
	for _, p := range problems {
		var conflict *ssa.ConflictError
		if !errors.As(p.Err, &conflict) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s  %s", p.Cluster, p.Object))
		for _, c := range conflict.Contentions {
			lines = append(lines, fmt.Sprintf("        %s  is %s by %s, wanted %s", c.Path, valueText(c.From), c.Owner, valueText(c.To)))
		}
	}
	return strings.Join(lines, "\n")
}

// driftText lists the drifted fields with who drifted them, the same drift on several clusters once.
func driftText(plan deploy.Plan) (string, int) {
	type entry struct{ head, body string }
	var order []entry
	clusters := map[entry][]string{}
	drifted := 0
	for _, name := range sortedNames(plan.Clusters) {
		drift := false
		c := plan.Clusters[name]
		for _, key := range c.Keys() {
			o := c.Objects[key]
			if o.Action != deploy.ActionCorrect && len(o.Corrected) == 0 {
				continue
			}
			drift = true
			e := entry{head: key.String(), body: driftLines(o)}
			if clusters[e] == nil {
				order = append(order, e)
			}
			clusters[e] = append(clusters[e], name)
		}
		if drift {
			drifted++
		}
	}
	var lines []string
	for _, e := range order {
		lines = append(lines, strings.Join(clusters[e], ", ")+"  "+e.head, e.body)
	}
	return strings.Join(lines, "\n"), drifted
}

func driftLines(o deploy.ObjectPlan) string {
	who := map[string]string{}
	for _, c := range o.Corrected {
		if c.Owner != nil {
			who[c.Path] = fmt.Sprintf("   by %s", c.Owner)
			// The API server gives no time for some writes through subresources.
			if !c.Owner.Time.IsZero() {
				who[c.Path] += c.Owner.Time.Format(", 2006-01-02 15:04 MST")
			}
		}
	}
	var lines []string
	for _, d := range o.Changes {
		lines = append(lines, fmt.Sprintf("        %s  is %s, should be %s%s", d.Path, valueText(d.From), valueText(d.To), who[d.Path]))
	}
	return strings.Join(lines, "\n")
}

func valueText(v string) string {
	if v == "" {
		return "not set"
	}
	return v
}

func applyDiagnostics(problems deploy.Problems, set deploy.Set, creating bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if notes := problems.Warnings(); len(notes) > 0 {
		diags.AddWarning("While applying", notes.String())
	}
	failed := problems.Errors()
	if len(failed) == 0 {
		return diags
	}
	bad := failed.Clusters()
	var done []string
	for _, name := range sortedNames(set.Clusters) {
		if !slices.Contains(bad, name) {
			done = append(done, name)
		}
	}
	text := failed.String() + "\n\n"
	if len(done) > 0 {
		text += "Done on " + strings.Join(done, ", ") + ". "
	}
	text += "Nothing was rolled back and nothing was deleted. The next apply continues with " + strings.Join(bad, ", ") + "."
	if creating && len(done) > 0 {
		text += "\n\nTerraform will show the next plan as a replacement, because a first apply failed. Nothing will be deleted by it; " +
			"terraform untaint on this resource's address makes it a plain update."
	}
	diags.AddError(fmt.Sprintf("%d of %s failed", len(bad), clusterCount(max(len(set.Clusters), len(bad)))), text)
	return diags
}

func destroyDiagnostics(problems deploy.Problems, total int, done bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if notes := problems.Warnings(); len(notes) > 0 {
		diags.AddWarning("While removing the set", notes.String())
	}
	if failed := problems.Errors(); len(failed) > 0 {
		text := failed.String() + "\n\nNothing was removed yet."
		if done {
			text = failed.String() + "\n\nEverything else is gone. The next destroy continues there."
		}
		if names := failed.Unanswered(); len(names) > 0 {
			text += fmt.Sprintf(" Where %s will never answer again, say so first: remove it from clusters, name it in abandon, apply, and then destroy.", strings.Join(names, ", "))
		}
		diags.AddError(fmt.Sprintf("The set could not be removed from %d of %s", len(failed.Clusters()), clusterCount(total)), text)
	}
	return diags
}

func clusterCount(n int) string {
	if n == 1 {
		return "1 cluster"
	}
	return fmt.Sprintf("%d clusters", n)
}
