package provider

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// What discover may ask for.
const (
	discoverCapacity = "capacity"
	discoverNodes    = "nodes"
	discoverAPIs     = "apis"
)

// What happens to a fleet's objects on a cluster that leaves.
const (
	onRemovalDrain = "drain"
	onRemovalLeave = "leave"
)

// clusterName is a DNS-1123 subdomain, as Kubernetes names are.
var clusterName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func clusterSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "One cluster of the fleet. With `for_each` it is the map of clusters that `fleet_placement` and `fleet_manifest` take. " +
			"Creating it checks the connection and the permissions and writes nothing to the cluster. A cluster that is offline is registered with a warning.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the cluster in the fleet. The connection is looked up by it: in the provider's `connections`, in its " +
					"`kubeconfigs`, in `connect`, and, where none of these names the cluster, among the contexts of its `kubeconfig_paths`.",
				Required:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators: []validator.String{
					stringvalidator.LengthBetween(1, 253),
					stringvalidator.RegexMatches(clusterName, "a name consists of lower case letters, digits, '-' and '.', and begins and ends with a letter or digit"),
				},
			},
			"labels": schema.MapAttribute{
				MarkdownDescription: "Labels that selectors match. Of a cluster behind a hub, unless it is registered here, they default to those of its ManagedCluster.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
			},
			"taints":     clusterTaintsAttribute(),
			"properties": schema.MapAttribute{MarkdownDescription: "Free-form values for templates, scores and CEL.", Optional: true, ElementType: types.StringType},
			"connect": schema.SingleNestedAttribute{
				MarkdownDescription: "How to reach the cluster, without the secret parts: those are given in the provider's `connections` or `kubeconfigs` " +
					"under the same name. Where several places give the same attribute, the provider's wins.",
				Optional:   true,
				Attributes: resourceConnectionAttributes(),
			},
			"discover": schema.SetAttribute{
				MarkdownDescription: "What to find out about the cluster, into `facts`: `" + discoverCapacity + "` (the nodes' allocatable resources), `" +
					discoverNodes + "` (their number, regions and zones), `" + discoverAPIs + "` (the served APIs). Nothing by default.",
				Optional:    true,
				ElementType: types.StringType,
				Validators:  []validator.Set{setvalidator.ValueStringsAre(stringvalidator.OneOf(discoverCapacity, discoverNodes, discoverAPIs))},
			},
			"register": schema.BoolAttribute{
				MarkdownDescription: "For a cluster behind a hub: create its ManagedCluster there if it is missing, accept it (`hubAcceptsClient`), and keep the `labels` and `taints` given here on it. It goes with this resource, after the cluster was drained, and only where nothing else is on the cluster through the hub, which deletes all that with it; with `on_removal = \"leave\"` it stays. " +
					"The site joins with `clusteradm join --hub-token <token> --hub-apiserver <url> --cluster-name <name>`, as `clusteradm get token` on the hub prints it; until then the cluster counts as unreachable. Defaults to `false`.",
				Optional: true,
			},
			"unreachable": choice("What sets do at apply when the cluster does not answer: `error`, the default, or `defer`, which keeps what is known "+
				"and reports it.", string(fleet.UnreachableError), string(fleet.UnreachableDefer)),
			"mode": choice("`active`, the default; `maintenance`: left alone quietly, and reported as deferred; `decommissioned`: gone for good, what "+
				"was there is forgotten without contact.", string(fleet.ModeActive), string(fleet.ModeMaintenance), string(fleet.ModeDecommissioned)),
			"on_removal": choice("What happens to the sets on the cluster when it leaves the fleet. `drain`, the default: all that this configuration's "+
				"`owner` has there is removed before the cluster, and what it stands on, is destroyed; the provider's `owner` must be set for that. `leave`: its objects stay.",
				onRemovalDrain, onRemovalLeave),

			"uid":                computedText("UID of the namespace `kube-system`, or of the inventory's where the provider's `inventory.scope` is `namespaced`, or of the ManagedCluster of a cluster behind a hub, which tells the cluster from another one at the same address. Null until the cluster first answered."),
			"access":             computedText("The resolved connection without its secrets, as one JSON text. Sets reach the cluster by it, also after the cluster has left the configuration."),
			"kubernetes_version": computedText("Kubernetes version, such as `v1.36.3`."),
			"minor":              computedText("Kubernetes minor version, such as `1.36`."),
			"platform":           computedText("Platform of the API server, such as `linux/amd64`."),
			"reachable":          schema.BoolAttribute{MarkdownDescription: "Whether the cluster answered, as itself, when it was last read.", Computed: true},
			"facts":              clusterFactsAttribute(),
		},
	}
}

func computedText(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

// choice is an attribute with a few words to choose from, the first being the default.
func choice(description string, words ...string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(words[0]),
		Validators:          []validator.String{stringvalidator.OneOf(words...)},
	}
}

func clusterTaintsAttribute() schema.ListNestedAttribute {
	effects := []string{string(fleet.NoSelect), string(fleet.PreferNoSelect), string(fleet.NoSelectIfNew)}
	return schema.ListNestedAttribute{
		MarkdownDescription: "Marks that keep sets away which do not tolerate them. Of a cluster behind a hub, unless it is registered here, they default to those of its ManagedCluster, but for those by which the hub tells that it does not answer.",
		Optional:            true,
		Computed:            true,
		Validators:          []validator.List{listvalidator.UniqueValues()},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"key": schema.StringAttribute{
				MarkdownDescription: "Key of the taint.", Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"value": schema.StringAttribute{MarkdownDescription: "Value of the taint.", Optional: true},
			"effect": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("What it does to a set that does not tolerate it: `%s`.", strings.Join(effects, "`, `")),
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(effects...)},
			},
			"added": schema.StringAttribute{
				MarkdownDescription: "When the cluster was tainted, such as `2026-01-31T12:00:00Z`. Tolerations with `toleration_seconds` count from it.",
				Optional:            true,
				Validators:          []validator.String{timeValidator{}},
			},
		}},
	}
}

func clusterFactsAttribute() schema.SingleNestedAttribute {
	names := func(description string) schema.ListAttribute {
		return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
	}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What `discover` asked for; null where it asked for nothing. Of a cluster behind a hub it is what the hub knows, whether asked for or not.",
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"nodes": schema.Int64Attribute{MarkdownDescription: "Number of nodes.", Computed: true},
			"allocatable": schema.MapAttribute{
				MarkdownDescription: "Sum of the nodes' allocatable resources, as Kubernetes quantities.", Computed: true, ElementType: types.StringType,
			},
			"regions": names("Regions of the nodes, by their label `topology.kubernetes.io/region`."),
			"zones":   names("Zones of the nodes, by their label `topology.kubernetes.io/zone`."),
			"apis":    names("Served APIs as `group/version/Kind`, and `v1/Kind` in the core group."),
			"claims": schema.MapAttribute{
				MarkdownDescription: "What a cluster behind a hub claims of itself, by its ClusterClaims.", Computed: true, ElementType: types.StringType,
			},
		},
	}
}
