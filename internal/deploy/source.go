package deploy

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// The arguments in which texts of manifests stand, as errors name them.
const (
	ArgumentManifests = "manifests"
	ArgumentWriteOnly = "manifests_wo"
)

// VariantArgument is what errors call the texts of a variant.
func VariantArgument(i int) string { return fmt.Sprintf("variants[%d].manifests", i) }

// Source is what the objects of a set are made of, for each cluster.
type Source struct {
	// Texts are for the clusters that no variant chooses; Fallback tells whether there are any such texts, even if none.
	Texts    []string
	Fallback bool
	// Variants are texts for some clusters; the first that chooses a cluster is the one.
	Variants []Variant
	// WriteOnly are texts that every cluster gets as well and that are stored nowhere, and Values what their templates read, by cluster.
	WriteOnly []string
	Values    map[string]map[string]string
	// WriteOnlyVersion changes when the write-only texts are to be sent again; empty where there are none.
	WriteOnlyVersion string
	// Template tells whether the strings of Texts and Variants are templates where a document does not say.
	Template bool
	// Overrides are applied in their order.
	Overrides []Override
	// Sensitive are the fields whose values no message may repeat.
	Sensitive []FieldRule
	// Namespace is the default for namespaced objects that name none.
	Namespace string
}

// Variant is what some clusters get instead of the others' texts.
type Variant struct {
	Clusters *placement.Selector
	Texts    []string
	// Withheld tells that the texts are not known, because they were kept only on the clusters that get them.
	Withheld bool
}

// Override is a rule with the clusters and objects that it is for.
type Override struct {
	// Clusters chooses clusters; nil chooses all.
	Clusters *placement.Selector
	Target   manifest.Target
	// Rule is what is done; its own Clusters and Target are not looked at.
	Rule override.Rule
}

// canonical says what the rule does, whatever the formatting of its texts.
func (o Override) canonical() string {
	var said []any
	for _, text := range []string{o.Rule.JSONPatch, o.Rule.MergePatch, o.Rule.StrategicPatch} {
		var patch any
		if err := yaml.Unmarshal([]byte(text), &patch); err != nil {
			patch = text
		}
		said = append(said, patch)
	}
	text, err := json.Marshal(append(said, o.Rule.Images))
	if err != nil {
		return fmt.Sprintf("%#v", said)
	}
	return string(text)
}

// rules are the overrides in the terms of their package.
func (s Source) rules() []override.Rule {
	rules := make([]override.Rule, 0, len(s.Overrides))
	for _, o := range s.Overrides {
		rule := o.Rule
		rule.Target, rule.Clusters = o.Target.Matches, nil
		if o.Clusters != nil {
			rule.Clusters = func(c fleet.Cluster) (bool, error) {
				ok, _, err := o.Clusters.Match(c)
				return ok, err
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// NoTextsError says that a set has nothing for a cluster.
type NoTextsError struct {
	// Variants is how many variants there are, none of which is for the cluster.
	Variants int
}

func (e *NoTextsError) Error() string {
	which := "the only variant is"
	if e.Variants > 1 {
		which = fmt.Sprintf("none of the %d variants is", e.Variants)
	}
	return which + " for this cluster, and there are no manifests to fall back on; add a variant for it, give manifests (manifests = [] for a cluster that gets nothing), or leave it out of clusters"
}

// WithheldError says that the texts for a cluster are not known.
type WithheldError struct {
	// Variant is the index of the variant.
	Variant int
}

func (e *WithheldError) Error() string {
	return fmt.Sprintf("variants[%d] of the revision is for this cluster, and it has Secrets, which are kept only on clusters that get them", e.Variant)
}

// OverriddenError says what is wrong with an object after all overrides, none of which fails by itself.
type OverriddenError struct {
	Key fleet.ObjectKey
	// Field and Message are those of a *manifest.Error.
	Field, Message string
}

func (e *OverriddenError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s, after the overrides: %s %s", e.Key, e.Field, e.Message))
}

// RenderError says why the objects for a cluster cannot be made.
type RenderError struct {
	Cluster string
	// Err is a *manifest.Error, an *override.Error, an *OverriddenError, a *NoTextsError or what a selector ran into.
	Err error
}

func (e *RenderError) Error() string { return e.Cluster + ": " + e.Err.Error() }

func (e *RenderError) Unwrap() error { return e.Err }

// InNamespace is the key with the default namespace, as far as the scope of a kind can be told without a cluster.
func (s Source) InNamespace(key fleet.ObjectKey) fleet.ObjectKey {
	if key.Namespace == "" && !clusterScopedKind(key.Kind) {
		key.Namespace = s.Namespace
	}
	return key
}
