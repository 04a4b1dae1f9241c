package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// checkPolicies finds policies that contradict each other, paths that the objects cannot have, and targets that choose nothing.
// objects is nil where they are not known yet.
func (m manifestModel) checkPolicies(ctx context.Context, objects []manifest.Object) diag.Diagnostics {
	if m.policyModel.unknown() {
		return nil
	}
	var set deploy.Set
	diags := m.into(ctx, &set)
	if diags.HasError() {
		return diags
	}
	diags.Append(m.checkWords(set)...)
	ignored := map[string]bool{}
	for i, r := range set.Ignore {
		diags.Append(checkFieldRule(path.Root("ignore_fields").AtListIndex(i), r.Target, r.Paths, objects, m.Namespace.ValueString())...)
		for _, p := range r.Paths {
			ignored[p.String()] = true
		}
	}
	for i, r := range set.Sensitive {
		diags.Append(checkFieldRule(path.Root("sensitive_fields").AtListIndex(i), r.Target, r.Paths, objects, m.Namespace.ValueString())...)
	}
	for i, r := range set.Rules {
		at := path.Root("rules").AtListIndex(i)
		diags.Append(checkRule(at, r, ignored)...)
		diags.Append(checkFieldRule(at, r.Target, r.Paths, objects, m.Namespace.ValueString())...)
	}
	return diags
}

// checkWords finds words of the set that leave each other nothing to say.
func (m manifestModel) checkWords(set deploy.Set) diag.Diagnostics {
	var diags diag.Diagnostics
	adopts := set.Policy.Existing != fleet.ExistingError || slices.ContainsFunc(set.Rules, func(r deploy.Rule) bool { return r.Existing != "" && r.Existing != fleet.ExistingError })
	if set.Policy.OnAdopted == fleet.OnAdoptedDelete && !adopts {
		diags.AddAttributeError(path.Root("on_adopted"), "Contradictory policies", "existing = \"error\" adopts nothing, so on_adopted = \"delete\" has nothing to speak of. Remove one of the two.")
	}
	deletes := set.Policy.Deletion != fleet.DeletionOrphan || set.Policy.OnAdopted == fleet.OnAdoptedDelete ||
		slices.ContainsFunc(set.Rules, func(r deploy.Rule) bool {
			return r.Deletion == fleet.DeletionDelete || r.OnAdopted == fleet.OnAdoptedDelete
		})
	if !m.Propagation.IsNull() && !deletes {
		diags.AddAttributeError(path.Root("propagation"), "Contradictory policies", "deletion = \"orphan\" deletes nothing, so propagation has nothing to speak of. Remove one of the two.")
	}
	return diags
}

// checkRule finds a rule that says nothing, or something that cannot be said of single fields.
func checkRule(at path.Path, r deploy.Rule, ignored map[string]bool) diag.Diagnostics {
	var diags diag.Diagnostics
	onObjects := r.Existing != "" || r.OnAdopted != "" || r.Missing != "" || r.Unserved != "" || r.Deletion != "" || r.ReplaceImmutable != nil
	onFields := r.Conflicts != "" || r.Drift != ""
	switch {
	case !onObjects && !onFields:
		diags.AddAttributeError(at, "A rule that says nothing", at.String()+" has none of existing, on_adopted, conflicts, drift, missing, unserved, deletion and replace_immutable. Give it one, or remove it.")
	case len(r.Paths) > 0 && onObjects:
		diags.AddAttributeError(at.AtName("paths"), "Contradictory policies",
			at.String()+" has paths, which restrict conflicts and drift; the other words are about whole objects. Give them a rule of their own, without paths.")
	}
	for i, p := range r.Paths {
		if ignored[p.String()] {
			diags.AddAttributeError(at.AtName("paths").AtListIndex(i), "Contradictory policies",
				fmt.Sprintf("%s is in ignore_fields: it is not sent, so there is neither conflict nor drift. Remove it from one of the two.", p))
		}
	}
	return diags
}

// checkFieldRule compares a target with the objects, and paths with their kinds.
func checkFieldRule(at path.Path, target manifest.Target, paths []fleet.Pattern, objects []manifest.Object, namespace string) diag.Diagnostics {
	var diags diag.Diagnostics
	if len(objects) == 0 {
		return diags
	}
	var chosen []manifest.Object
	for _, o := range objects {
		key := o.Key
		if key.Namespace == "" {
			key.Namespace = namespace
		}
		if target.Matches(key, o.GetLabels()) || target.Matches(o.Key, o.GetLabels()) {
			chosen = append(chosen, o)
		}
	}
	if len(chosen) == 0 {
		diags.AddAttributeWarning(at.AtName("target"), "A target that matches no object",
			fmt.Sprintf("%s: none of the %d objects of the manifests is meant by it.", at.AtName("target"), len(objects)))
		return diags
	}
	for i, p := range paths {
		var complaints []string
		for _, o := range chosen {
			err := ssa.CheckPath(o.Unstructured, p)
			if err == nil {
				complaints = nil
				break
			}
			complaints = append(complaints, err.Error())
		}
		if len(complaints) > 0 {
			slices.Sort(complaints)
			diags.AddAttributeError(at.AtName("paths").AtListIndex(i), "Unknown field path",
				fmt.Sprintf("%s is a field of none of the objects concerned: %s.", p, strings.Join(slices.Compact(complaints), "; ")))
		}
	}
	return diags
}
