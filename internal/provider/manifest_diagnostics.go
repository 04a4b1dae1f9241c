package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

func flatten(err error) []error { return fleet.Flatten(err) }

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
	var contested, others deploy.Problems
	for _, p := range problems.Errors() {
		var conflict *ssa.ConflictError
		if errors.As(p.Err, &conflict) {
			contested = append(contested, p)
		} else {
			others = append(others, p)
		}
	}
	if len(contested) > 0 {
		diags.AddError("Another manager owns fields this set wants to change", conflictText(contested))
	}
	if len(others) > 0 {
		diags.AddError("The set cannot be applied to "+clusterCount(len(others.Clusters())), others.String()+"\n\nNothing was changed.")
	}
	said, notes := problems.Warnings().APIWarnings()
	if len(notes) > 0 {
		diags.AddWarning("Before you apply", notes.String())
	}
	diags.Append(apiWarnings(said)...)
	if found, objects := adoptions(plan); objects > 0 {
		diags.AddWarning(fmt.Sprintf("%s there before will be adopted", objectsWere(objects)), found.String()+
			"\n\nIn the end an adopted object is released with every value it has, not deleted; on_adopted = \"delete\" changes that.")
	}
	corrected, reported, corrects, reports := drift(plan)
	if corrects > 0 {
		diags.AddWarning(fmt.Sprintf("Drift on %d of %s", corrects, clusterCount(len(plan.Clusters))), corrected.String()+
			"\n\nApplying corrects it. To leave a field to others, see ignore_fields; to only watch, drift = \"report\".")
	}
	if reports > 0 {
		diags.AddWarning(fmt.Sprintf("Drift on %d of %s, only reported", reports, clusterCount(len(plan.Clusters))), reported.String()+
			"\n\nNothing is changed, because drift = \"report\" holds for these fields.")
	}
	return diags
}

func objectsWere(n int) string {
	if n == 1 {
		return "1 object that was"
	}
	return fmt.Sprintf("%d objects that were", n)
}

// conflictText lists the fields with the ways out, as they would stand in the configuration.
func conflictText(problems deploy.Problems) string {
	found, managers, paths := conflicts(problems)
	quoted := make([]string, 0, len(paths))
	for _, p := range paths[:min(len(paths), fieldsPerObject)] {
		quoted = append(quoted, fmt.Sprintf("%q", p))
	}
	if len(paths) > len(quoted) {
		quoted = append(quoted, "...")
	}
	rule := "rules = [{ paths = [" + strings.Join(quoted, ", ") + "], conflicts = "
	return fmt.Sprintf("%s\n\nNothing was changed. Either\n  - leave what it owns to %s:   %s\"yield\" }]\n  - take it:   %s\"force\" }]\n  - or remove it from the manifest.",
		found.String(), strings.Join(managers, ", "), rule, rule)
}

func applyDiagnostics(problems deploy.Problems, set deploy.Set, creating bool) diag.Diagnostics {
	var diags diag.Diagnostics
	said, notes := problems.Warnings().APIWarnings()
	if len(notes) > 0 {
		diags.AddWarning("While applying", notes.String())
	}
	diags.Append(apiWarnings(said)...)
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
		text += "\n\n" + replacementText
	}
	diags.AddError(fmt.Sprintf("%d of %s failed", len(bad), clusterCount(max(len(set.Clusters), len(bad)))), text)
	return diags
}

// replacementText says what a first apply means that failed.
const replacementText = "Terraform will show the next plan as a replacement, because a first apply failed. Nothing will be deleted by it; " +
	"terraform untaint on this resource's address makes it a plain update."

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
