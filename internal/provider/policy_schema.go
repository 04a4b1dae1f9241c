package provider

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

// policySetPrefix begins the name of the set that carries a policy to its clusters.
const policySetPrefix = "policy-"

var policyName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,41}[a-z0-9])?$`)

func policySchema() schema.Schema {
	attributes := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			MarkdownDescription: "Name of the policy and its binding on every cluster: a DNS label of at most 43 characters. The set that carries it there is called `policy-<name>`. Changing it replaces the objects: the new ones come before the old ones go.",
			Required:            true,
			Validators: []validator.String{stringvalidator.RegexMatches(policyName,
				"must be a DNS label of at most 43 characters: lower-case letters, digits and hyphens, beginning and ending with a letter or digit")},
		},
		"clusters": stableClustersAttribute("The clusters that the policy is for, by name: a `fleet_cluster` with `for_each`, `selected` of a `fleet_placement`, or a part of either."),
		"action": word("What becomes of an object that violates the policy. `deny` (default): it is refused. `warn`: it passes with a warning. `audit`: it passes, and the API server's audit log notes it.",
			policy.Actions...),
		"failure_policy": word("What becomes of an object for which an expression cannot be evaluated. `Fail` (default): as if it violated the policy. `Ignore`: it passes.",
			admissionregistrationv1.Fail, admissionregistrationv1.Ignore),
		"match": schema.SingleNestedAttribute{
			MarkdownDescription: "What the policy is about. An object has to match one of `rules`, none of `exclude`, and both selectors.",
			Required:            true,
			Attributes: map[string]schema.Attribute{
				"rules":              policyRules("Kinds of requests that the policy is about.", true),
				"exclude":            policyRules("Exceptions from `rules`.", false),
				"namespace_selector": policySelector("Labels of the namespace. Objects outside of namespaces always match; a Namespace is judged by its own labels."),
				"object_selector":    policySelector("Labels of the object, as it is or as it would be."),
			},
		},
		"match_conditions": policyExpressions("CEL expressions that must all be true for the policy to be about an object."),
		"variables":        policyExpressions("CEL expressions with names, for use as `variables.<name>` in those that follow. The name `params` is taken."),
		"params": schema.StringAttribute{
			MarkdownDescription: "Parameters, a JSON object: `jsonencode({ max_replicas = 5 })`. Expressions read them as `variables.params`, with their types. They stand in the policy itself: there is no object beside it that could be changed or deleted alone.",
			Optional:            true,
		},
		"validations": schema.ListNestedAttribute{
			MarkdownDescription: "What must hold. An object violates the policy if one of the expressions is false.",
			Required:            true,
			Validators:          []validator.List{listvalidator.SizeAtLeast(1)},
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"expression":         schema.StringAttribute{MarkdownDescription: "A CEL expression that yields a bool, as in a ValidatingAdmissionPolicy: of `object`, `oldObject` (null when the object is created), `request`, `namespaceObject`, `authorizer` and `variables`.", Required: true},
				"message":            schema.StringAttribute{MarkdownDescription: "What is said when it is false. Defaults to the expression.", Optional: true},
				"message_expression": schema.StringAttribute{MarkdownDescription: "A CEL expression that yields what is said; `message` is said where it fails, or yields nothing or several lines. `authorizer` cannot be used.", Optional: true},
				"reason": schema.StringAttribute{
					MarkdownDescription: "The reason in the API server's answer: `Unauthorized`, `Forbidden`, `Invalid` (default) or `RequestEntityTooLarge`.",
					Optional:            true, Validators: []validator.String{stringvalidator.OneOf(policy.Reasons()...)},
				},
			}},
		},
		"definition": schema.StringAttribute{
			MarkdownDescription: "The policy as JSON, for `policies` of a `fleet_manifest`.",
			Computed:            true,
		},
	}
	results := manifestResults()
	for _, name := range policyResults {
		attributes[name] = results[name]
	}
	return schema.Schema{
		MarkdownDescription: "A CEL policy for some clusters of the fleet. On each of them it is a ValidatingAdmissionPolicy with a binding, so that the API server holds everybody to it. A `fleet_manifest` that names its " +
			"`definition` in `policies` is judged by it at plan as well, by the same expressions, for every cluster the policy is for, also before the policy or the cluster exists.\n\n" +
			"What the policy is on the clusters is treated like the objects of a `fleet_manifest`: drift is shown and corrected, a cluster that does not answer stops no other, and what leaves is pruned.",
		Attributes: attributes,
	}
}

// policyResults are the results of a fleet_manifest that a fleet_policy has as well.
var policyResults = []string{"instance", "objects", "applied", "status", "ready", "changes"}

func policyRules(description string, required bool) schema.ListNestedAttribute {
	texts := func(description string, required bool, validators ...validator.List) schema.ListAttribute {
		return schema.ListAttribute{
			MarkdownDescription: description, ElementType: types.StringType, Required: required, Optional: !required,
			Validators: append(validators, listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()),
		}
	}
	attribute := schema.ListNestedAttribute{
		MarkdownDescription: description, Required: required, Optional: !required,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"groups":    texts("API groups, `\"\"` being the core group and `*` any.", true),
			"versions":  texts("API versions. Defaults to any.", false),
			"resources": texts("Resources as the API serves them, such as `deployments` or `pods/exec`; `*` is any.", true),
			"operations": texts("`CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`. Defaults to `CREATE` and `UPDATE`, which are all that a `fleet_manifest` is judged for.", false,
				listvalidator.ValueStringsAre(stringvalidator.OneOf("CREATE", "UPDATE", "DELETE", "CONNECT", "*"))),
			"names": texts("Names of objects. Defaults to any.", false),
			"scope": word("`Namespaced`, `Cluster` or `*`, the default.", admissionregistrationv1.NamespacedScope, admissionregistrationv1.ClusterScope, admissionregistrationv1.AllScopes),
		}},
	}
	if required {
		attribute.Validators = []validator.List{listvalidator.SizeAtLeast(1)}
	}
	return attribute
}

func policySelector(description string) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: description, Optional: true,
		Attributes: map[string]schema.Attribute{
			"match_labels": schema.MapAttribute{MarkdownDescription: "Labels with these values.", Optional: true, ElementType: types.StringType},
			"match_expressions": schema.ListNestedAttribute{
				MarkdownDescription: "Further conditions on labels. All must hold.", Optional: true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"key": schema.StringAttribute{MarkdownDescription: "Key of the label.", Required: true},
					"operator": schema.StringAttribute{
						MarkdownDescription: "`In`, `NotIn`, `Exists` or `DoesNotExist`.", Required: true,
						Validators: []validator.String{stringvalidator.OneOf(string(metav1.LabelSelectorOpIn), string(metav1.LabelSelectorOpNotIn), string(metav1.LabelSelectorOpExists), string(metav1.LabelSelectorOpDoesNotExist))},
					},
					"values": schema.ListAttribute{MarkdownDescription: "Values, for `In` and `NotIn`.", Optional: true, ElementType: types.StringType},
				}},
			},
		},
	}
}

func policyExpressions(description string) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: description, Optional: true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"name":       schema.StringAttribute{MarkdownDescription: "Name.", Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}},
			"expression": schema.StringAttribute{MarkdownDescription: "CEL expression.", Required: true},
		}},
	}
}
