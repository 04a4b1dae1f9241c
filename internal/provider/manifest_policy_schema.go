package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// word is an optional attribute with a few words to choose from. The default is not written to the state, so that a set that
// says nothing shows nothing.
func word[W ~string](description string, words ...W) schema.StringAttribute {
	texts := make([]string, 0, len(words))
	for _, w := range words {
		texts = append(texts, string(w))
	}
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: []validator.String{stringvalidator.OneOf(texts...)}}
}

// The policy words, as arguments of the set and of its rules. What a word means is said once.
func policyWords() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"existing": word("What to do about an object that was there before the set. `error`: stop. `if_same` (default): adopt it if it equals the manifest in the "+
			"fields the manifest speaks of, else stop and show the difference. `adopt`: adopt and change it.",
			fleet.ExistingError, fleet.ExistingIfSame, fleet.ExistingAdopt),
		"on_adopted": word("What becomes of an adopted object in the end. `release` (default): it stays, with every value it has. `delete`: it is deleted like the set's own.",
			fleet.OnAdoptedRelease, fleet.OnAdoptedDelete),
		"conflicts": word("What to do about a field that another manager owns. `error` (default): stop. `force`: take it. `yield`: leave it to the other manager for "+
			"as long as that owns it.", fleet.ConflictsError, fleet.ConflictsForce, fleet.ConflictsYield),
		"drift": word("What to do about a field of the set's that somebody changed. `correct` (default): put it right. `report`: warn at every plan and change nothing.",
			fleet.DriftCorrect, fleet.DriftReport),
		"missing": word("What to do about an object of the set's that is gone. `recreate` (default), or `ignore`: it is allowed to be gone, as a Job with a TTL is, "+
			"until its manifest changes.", fleet.MissingRecreate, fleet.MissingIgnore),
		"unserved": word("What to do about an object whose kind, in the version of the manifest, a cluster does not serve. `error` (default): stop. `skip`: leave the object out on that "+
			"cluster, which `changes` and `status` say, until the cluster serves it. One that is there in another version of its kind stays as it is.", fleet.UnservedError, fleet.UnservedSkip),
		"deletion": word("What becomes of an object that the set created and no longer wants. `delete` (default), or `orphan`: it is given up and stays, with every value it has.",
			fleet.DeletionDelete, fleet.DeletionOrphan),
		"replace_immutable": schema.BoolAttribute{
			MarkdownDescription: "Whether to delete an object and create it anew, on the clusters concerned, where a change is one that the API server does not allow, as in the template of a Job. " +
				"Defaults to `false`: such a change is an error at plan.",
			Optional: true,
		},
	}
}

func targetAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The objects concerned; all that is given must hold. Defaults to every object of the set.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"group":     schema.StringAttribute{MarkdownDescription: "API group such as `apps`; `\"\"` is the core group.", Optional: true},
			"kind":      schema.StringAttribute{MarkdownDescription: "Kind, such as `Deployment`.", Optional: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}},
			"namespace": schema.StringAttribute{MarkdownDescription: "Namespace; `*` and `?` are wildcards.", Optional: true},
			"name":      schema.StringAttribute{MarkdownDescription: "Name; `*` and `?` are wildcards.", Optional: true},
			"match_labels": schema.MapAttribute{
				MarkdownDescription: "Labels the object must have.", Optional: true, ElementType: types.StringType,
			},
		},
	}
}

func pathsAttribute(description string, required bool) schema.ListAttribute {
	return schema.ListAttribute{
		MarkdownDescription: description + " In the grammar of `objects`, such as `spec.template.spec.containers[name=web].image`, each with all that is below it; `*` in a name or a key's value " +
			"and `[*]` for any item of a list are wildcards.",
		Required: required, Optional: !required,
		ElementType: types.StringType,
		Validators:  []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues(), listvalidator.ValueStringsAre(patternValidator{})},
	}
}

func fieldRulesAttribute(description, paths string) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"target":   targetAttribute(),
			"clusters": selectorAttribute("The clusters concerned. Defaults to all.", stableClusterAttributes()),
			"paths":    pathsAttribute(paths, true),
		}},
	}
}

// manifestPolicies are the arguments that say whose is what.
func manifestPolicies() map[string]schema.Attribute {
	attributes := policyWords()
	rule := policyWords()
	rule["target"] = targetAttribute()
	rule["clusters"] = selectorAttribute("The clusters concerned. Defaults to all.", stableClusterAttributes())
	rule["paths"] = pathsAttribute("Restricts `conflicts` and `drift` to some fields.", false)
	for name, attribute := range map[string]schema.Attribute{
		"rules": schema.ListNestedAttribute{
			MarkdownDescription: "Exceptions: the same words for some objects, clusters or fields. Of the rules that apply, the first that says a word decides that word.",
			Optional:            true,
			NestedObject:        schema.NestedAttributeObject{Attributes: rule},
		},
		"ignore_fields": fieldRulesAttribute("Fields that are neither sent nor compared, such as `spec.replicas` of what an autoscaler scales. Beginning to ignore a field never changes its value; "+
			"no longer ignoring it takes it back.", "The fields to ignore."),
		"sensitive_fields": fieldRulesAttribute("Fields whose values are shown as salted digests in state, plan, messages and logs, as those of Secrets always are.", "The fields to hide."),
		"absorb_managers": schema.ListAttribute{
			MarkdownDescription: "Field managers, `*` and `?` being wildcards, from which the set takes over when it adopts an object, so that a field that is later removed from the manifest is really removed. Of what such a " +
				"manager wrote, the fields that the manifest speaks of become the set's; with `existing = \"adopt\"`, what else it had declared as a whole goes. Defaults to `[\"kubectl*\"]`.",
			Optional: true, ElementType: types.StringType,
			Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"propagation": word(fmt.Sprintf("How what depends on a deleted object is deleted: `%s`.", strings.Join([]string{
			string(metav1.DeletePropagationForeground) + "` (default), `" + string(metav1.DeletePropagationBackground), string(metav1.DeletePropagationOrphan)}, "`, `")),
			metav1.DeletePropagationForeground, metav1.DeletePropagationBackground, metav1.DeletePropagationOrphan),
		"abandon": schema.ListAttribute{
			MarkdownDescription: "Names of clusters that left `clusters` and will never answer again: what is owed there is forgotten.",
			Optional:            true, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.UniqueValues()},
		},
		"takeover": schema.StringAttribute{
			MarkdownDescription: "The `owner` from whom the set is to be taken, where another configuration has put it on the clusters. Has no effect once that is done.",
			Optional:            true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"limits": schema.SingleNestedAttribute{
			MarkdownDescription: "What a plan may do at most; one that would do more fails.",
			Optional:            true,
			Attributes: map[string]schema.Attribute{
				"deletions": schema.Int64Attribute{MarkdownDescription: "Objects deleted, on all clusters together, replaced ones included.", Optional: true, Validators: notNegative()},
				"clusters":  schema.Int64Attribute{MarkdownDescription: "Clusters on which anything changes.", Optional: true, Validators: notNegative()},
			},
		},
	} {
		attributes[name] = attribute
	}
	return attributes
}
