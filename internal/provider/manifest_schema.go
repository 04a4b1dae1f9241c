package provider

import (
	"maps"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// defaultTimeout is how long one cluster may take to become ready.
const defaultTimeout = "10m"

// What becomes of the replicas of an object.
const (
	replicasDuplicated = "duplicated"
	replicasDivided    = "divided"
)

var setName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$`)

func manifestSchema() schema.Schema {
	attributes := manifestArguments()
	for _, more := range []map[string]schema.Attribute{manifestRendering(), manifestPolicies(), manifestSecrets(), manifestResults()} {
		maps.Copy(attributes, more)
	}
	return schema.Schema{
		MarkdownDescription: "A set of Kubernetes objects on some clusters of the fleet. What it puts on the clusters belongs together, is rolled " +
			"out together, and is tracked together.\n\n" +
			"`terraform plan` asks every cluster by a server-side dry run what each changed object would become, and shows it per cluster, object " +
			"and field. `terraform apply` makes it so by server-side apply. A cluster that fails does not stop the others: they are done, the " +
			"error names the cluster, the object and the cause, and the next apply finishes the rest.\n\n" +
			"**Nothing is deleted that the set did not create.** A replacement of the resource, as after a failed first apply, deletes nothing either: " +
			"the new instance carries on with the objects of the old.",
		Attributes: attributes,
	}
}

func manifestArguments() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": schema.StringAttribute{
			MarkdownDescription: "Name of the set on every cluster: a DNS label of at most 50 characters. It names the field manager (`fleet:<name>`) and the inventory. Changing it moves the set in place: no object is recreated and no value changes.",
			Required:            true,
			Validators: []validator.String{stringvalidator.RegexMatches(setName,
				"must be a DNS label of at most 50 characters: lower-case letters, digits and hyphens, beginning and ending with a letter or digit")},
		},
		"clusters": stableClustersAttribute("The clusters that get the objects, by name: a `fleet_cluster` with `for_each`, `selected` of a `fleet_placement`, " +
			"or a part of either. A cluster that leaves the map is pruned; an empty map prunes them all."),
		"manifests": schema.ListAttribute{
			MarkdownDescription: "YAML or JSON texts, each of any number of documents; objects of kind `List` are expanded. The texts are marked sensitive only so that " +
				"a one-line edit does not print them whole: `objects` and `changes` are the readable difference.",
			ElementType: types.StringType,
			Optional:    true,
			Sensitive:   true,
			Validators:  []validator.List{listvalidator.NoNullValues()},
		},
		"namespace": schema.StringAttribute{
			MarkdownDescription: "Namespace for namespaced objects that name none.",
			Optional:            true,
			Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`),
				"must be a DNS label of at most 63 characters")},
		},
		"secrets_in_state": schema.BoolAttribute{
			MarkdownDescription: "Accept objects of kind `Secret` in `manifests`. Terraform stores configured arguments as they are, so the values of such a Secret stand in the " +
				"state and in saved plans; `objects` shows only salted digests of them. Defaults to `false`: a Secret is refused.",
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
		},
		"unreachable": schema.StringAttribute{
			MarkdownDescription: "What to do with a cluster that does not answer. `error`: the apply fails for that cluster, after all others were done. `defer`: what is known " +
				"of it is kept, nothing is planned there, and the next plan that reaches it shows what it is owed. `inherit` (default): what its `fleet_cluster` says.",
			Optional: true, Computed: true, Default: stringdefault.StaticString(string(fleet.UnreachableInherit)),
			Validators: []validator.String{stringvalidator.OneOf(string(fleet.UnreachableInherit), string(fleet.UnreachableError), string(fleet.UnreachableDefer))},
		},
		"replica_scheduling": word("`duplicated` (default): every cluster gets the replicas that the manifest says. `divided`: they are divided over the clusters by `weight`, "+
			"as `weights` of a `fleet_placement` gives them, within `min_replicas` and `max_replicas`, so that the sum over the clusters is always the manifest's number. What clusters have "+
			"is kept as far as can be: scaling up takes from none, scaling down gives to none, and a cluster that is new gets a part of what is added, or of what a leaving one had. A cluster that "+
			"cannot be changed now keeps its part. It holds for every object with `spec.replicas`, and for custom resources of the set with a scale subresource.", replicasDuplicated, replicasDivided),
		"inventory": schema.SingleNestedAttribute{
			MarkdownDescription: "Where the set's inventory is kept on every cluster. Defaults to the provider's.",
			Optional:            true,
			Attributes: map[string]schema.Attribute{
				"namespace": schema.StringAttribute{MarkdownDescription: "Namespace of the inventory; created when absent, unless the scope is `namespaced`.", Optional: true},
				"scope":     inventoryScopeAttribute("Defaults to the provider's."),
			},
		},
		"policies": policiesAttribute(),
		"detail":   detailAttribute(),
		"rollout":  rolloutAttribute(),
		"wait": schema.SingleNestedAttribute{
			MarkdownDescription: "What an apply waits for.",
			Optional:            true,
			Attributes: map[string]schema.Attribute{
				"until": schema.StringAttribute{
					MarkdownDescription: "`ready` (default): until every object is healthy at the generation that was applied, by the rules of kstatus or by `health_checks`. `none`: not at all.",
					Optional:            true,
					Validators:          []validator.String{stringvalidator.OneOf("ready", "none")},
				},
				"timeout": schema.StringAttribute{
					MarkdownDescription: "How long to wait for the objects of one cluster to become ready, and for one object to be gone, as a Go duration. Defaults to `" + defaultTimeout + "`.",
					Optional:            true,
					Validators:          []validator.String{durationValidator{}},
				},
				"health_checks": healthChecksAttribute(),
			},
		},
	}
}

func inventoryScopeAttribute(otherwise string) schema.StringAttribute {
	return word("`cluster`: objects are found by one LIST per kind in the whole cluster. `namespaced`: nothing is asked or written outside of the namespaces of the set's objects and of the "+
		"inventory, so that a Role in each of them is all it takes; the inventory's namespace has to exist, and the set has no cluster-scoped objects. By what a cluster is identified, the provider's inventory "+
		"says. "+otherwise, inventoryScopeCluster, inventoryScopeNamespaced)
}

// manifestSecrets are the arguments whose values Terraform never stores.
func manifestSecrets() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"manifests_wo": schema.ListAttribute{
			MarkdownDescription: "Write-only texts like `manifests`, for Secrets: their content never stands in state or plan, and every value of their objects is shown as a salted digest. " +
				"Their strings are templates, which see `.cluster` and, from `values_wo`, `.values` of the cluster. Sent again when `manifests_wo_version` or `values_wo_version` changes, and where an object drifted. Needs Terraform 1.11 or OpenTofu 1.11.",
			ElementType: types.StringType, Optional: true, WriteOnly: true, Sensitive: true,
			Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.AlsoRequires(path.MatchRoot("manifests_wo_version"))},
		},
		"manifests_wo_version": schema.Int64Attribute{
			MarkdownDescription: "Change it to have `manifests_wo` sent again.", Optional: true,
		},
		"values_wo": schema.MapAttribute{
			MarkdownDescription: "Write-only values: cluster → key → value. A template in `manifests_wo` reads them as `{{ .values.key }}`.",
			ElementType:         types.MapType{ElemType: types.StringType}, Optional: true, WriteOnly: true, Sensitive: true,
			Validators: []validator.Map{mapvalidator.AlsoRequires(path.MatchRoot("values_wo_version"))},
		},
		"values_wo_version": schema.Int64Attribute{
			MarkdownDescription: "Change it to have `values_wo` sent again.", Optional: true,
		},
	}
}

func manifestResults() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"instance": schema.StringAttribute{
			MarkdownDescription: "Identifies this instance of the resource on the clusters, so that a replacement is told from a destroy.",
			Computed:            true,
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"objects": schema.MapAttribute{
			MarkdownDescription: "What runs where: cluster → object (`Kind[.group] [namespace/]name`) → its fields as one flat JSON object, field path → value. In state they are " +
				"the live values of the fields this set applied; in a plan what they become. Values over 1 KiB, and those of Secrets, stand as digests. See `detail` for what large fleets have instead.",
			ElementType: types.MapType{ElemType: types.StringType},
			Computed:    true,
		},
		"applied": schema.MapAttribute{
			MarkdownDescription: "The provider's own record of the last apply, by cluster. It is marked sensitive to keep it out of plans; it holds no secret.",
			Sensitive:           true,
			ElementType:         types.StringType,
			Computed:            true,
		},
		"status": schema.MapNestedAttribute{
			MarkdownDescription: "The set's standing, by cluster.",
			Computed:            true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"phase": schema.StringAttribute{
					MarkdownDescription: "`Applied`, `Failed`, `Deferred` where the cluster is left alone for now, or `Held` where nothing is applied before the cluster's wave is promoted.", Computed: true,
				},
				"health": schema.StringAttribute{
					MarkdownDescription: "The worst health of the objects: `Current`, `InProgress`, `Failed`, `Unknown` where the cluster did not answer, or `Denied` where it refused to be read.", Computed: true,
				},
				"message":  schema.StringAttribute{MarkdownDescription: "Why, where there is a why.", Computed: true},
				"revision": schema.StringAttribute{MarkdownDescription: "The revision that the cluster runs, in part at least. Null without a `rollout`: then it is the set's.", Computed: true},
				"wave":     schema.StringAttribute{MarkdownDescription: "The wave that the cluster is in. Null without a `rollout`.", Computed: true},
			}},
		},
		"ready": schema.BoolAttribute{
			MarkdownDescription: "Whether everything is applied and, as far as is known, healthy on every cluster.",
			Computed:            true,
		},
		"revision": schema.StringAttribute{
			MarkdownDescription: "Names what the set says: `manifests`, `variants`, `overrides`, `template`, `namespace` and the write-only versions, whatever their formatting. With a `rollout`, `status` tells which cluster runs which.",
			Computed:            true,
		},
		"changes": schema.ListAttribute{
			MarkdownDescription: "What the last change did, one sentence per distinct change with its clusters, so that a plan over a hundred clusters is read in a minute.",
			ElementType:         types.StringType,
			Computed:            true,
		},
		"plan_summary": schema.SingleNestedAttribute{
			MarkdownDescription: "The last change in numbers, for policy as code: objects by what happens to them, and clusters on which anything changes.",
			Computed:            true,
			Attributes: map[string]schema.Attribute{
				"create":   schema.Int64Attribute{MarkdownDescription: "Objects created.", Computed: true},
				"update":   schema.Int64Attribute{MarkdownDescription: "Objects changed, drift corrected included.", Computed: true},
				"delete":   schema.Int64Attribute{MarkdownDescription: "Objects deleted.", Computed: true},
				"replace":  schema.Int64Attribute{MarkdownDescription: "Objects deleted and created anew.", Computed: true},
				"adopt":    schema.Int64Attribute{MarkdownDescription: "Objects that were there before and become the set's.", Computed: true},
				"clusters": schema.Int64Attribute{MarkdownDescription: "Clusters on which anything changes.", Computed: true},
			},
		},
		"conflicting_fields": schema.MapAttribute{
			MarkdownDescription: "Fields that are left to other managers by `conflicts = \"yield\"`: cluster → object → its fields as one flat JSON object, field path → manager. Empty where there are none.",
			ElementType:         types.MapType{ElemType: types.StringType},
			Computed:            true,
		},
	}
}
