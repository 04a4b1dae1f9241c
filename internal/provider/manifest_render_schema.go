package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// manifestRendering are the arguments that make the difference between clusters.
func manifestRendering() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return optionalText(description, stringvalidator.LengthAtLeast(1))
	}
	return map[string]schema.Attribute{
		"variants": schema.ListNestedAttribute{
			MarkdownDescription: "Other texts for some clusters, such as what `helm template` yields for each cloud: the first whose selector chooses a cluster stands in for `manifests` there. A cluster that none " +
				"chooses gets `manifests`, and is an error where `manifests` is not given. An object may be in several variants; changing a cluster's variant is an update.",
			Optional: true, Sensitive: true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"clusters": selectorAttribute("The clusters that get these texts. Defaults to all that no earlier variant chooses.", stableClusterAttributes()),
				"manifests": schema.ListAttribute{
					MarkdownDescription: "Texts like `manifests`.", ElementType: types.StringType, Required: true, Validators: []validator.List{listvalidator.NoNullValues()},
				},
			}},
		},
		"template": schema.BoolAttribute{
			MarkdownDescription: "Whether the strings in `manifests` and `variants` are templates, such as `{{ .cluster.properties.domain }}`, rendered for each cluster. Defaults to `false`. The annotation " +
				"`fleet.fleetform.io/template: \"true\"` or `\"false\"` says otherwise for one object, and is not sent. The guide Heterogeneity has the data and the functions.",
			Optional: true,
		},
		"overrides": schema.ListNestedAttribute{
			MarkdownDescription: "Changes of some objects on some clusters, applied in this order, each to what those before it made of the object. A rule that is for no cluster or no object is an error, as is a patch that cannot be " +
				"applied or would change what an object is called. Each has exactly one of `json_patch`, `merge_patch`, `strategic_patch`, `images` and `exclude`.",
			Optional: true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"clusters":        selectorAttribute("The clusters concerned. Defaults to all.", stableClusterAttributes()),
				"target":          targetAttribute(),
				"json_patch":      text("JSON patch (RFC 6902) as YAML or JSON, such as `jsonencode([{ op = \"remove\", path = \"/spec/replicas\" }])`. What a path names has to exist where the RFC says so."),
				"merge_patch":     text("Merge patch (RFC 7386) as YAML or JSON: mappings are merged, null removes, lists are replaced whole."),
				"strategic_patch": text("Strategic merge patch as YAML or JSON, as kubectl and kustomize know it: lists such as `containers` are merged by their items' names. Kinds that are not built into Kubernetes, whose lists have no known keys, are patched like by `merge_patch`."),
				"images": schema.MapNestedAttribute{
					MarkdownDescription: "Other images for containers: by the present name without tag and digest, what to write instead. What is left out stays, except that a tag alone drops a digest, and a digest alone the tag.",
					Optional:            true,
					Validators:          []validator.Map{mapvalidator.SizeAtLeast(1)},
					NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
						"name":   text("New name, such as `registry.example.org/nginx`."),
						"tag":    text("New tag."),
						"digest": text("New digest, such as `sha256:…`."),
					}},
				},
				"exclude": schema.BoolAttribute{MarkdownDescription: "`true`: the objects are not wanted on these clusters; where they are, they are removed.", Optional: true},
			}},
		},
	}
}
