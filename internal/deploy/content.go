package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// revisionLength is how many hexadecimal digits name a revision.
const revisionLength = 12

// content is a source as clusters keep it, without what is write-only.
type content struct {
	Texts     []string          `json:"manifests,omitempty"`
	Fallback  bool              `json:"fallback,omitempty"`
	Variants  []contentVariant  `json:"variants,omitempty"`
	Template  bool              `json:"template,omitempty"`
	Overrides []contentOverride `json:"overrides,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	// WriteOnlyVersion is that of what the content lacks.
	WriteOnlyVersion string `json:"write_only_version,omitempty"`
}

type contentVariant struct {
	Clusters *fleet.Selector `json:"clusters,omitempty"`
	Texts    []string        `json:"manifests,omitempty"`
	Withheld bool            `json:"withheld,omitempty"`
}

type contentOverride struct {
	Clusters       *fleet.Selector           `json:"clusters,omitempty"`
	Target         manifest.Target           `json:"target,omitzero"`
	JSONPatch      string                    `json:"json_patch,omitempty"`
	MergePatch     string                    `json:"merge_patch,omitempty"`
	StrategicPatch string                    `json:"strategic_patch,omitempty"`
	Images         map[string]override.Image `json:"images,omitempty"`
	Exclude        bool                      `json:"exclude,omitempty"`
}

// Revision names what the source says, whatever the formatting of its texts. What clusters are like is not part of it, and of what is
// write-only only the version.
func (s Source) Revision() string {
	c := s.content()
	c.Texts = canonicalTexts(c.Texts)
	for i := range c.Variants {
		c.Variants[i].Texts = canonicalTexts(c.Variants[i].Texts)
	}
	said := struct {
		content
		Patches []string `json:"patches,omitempty"`
	}{content: c}
	for i, o := range s.Overrides {
		said.Patches = append(said.Patches, o.canonical())
		c.Overrides[i].JSONPatch, c.Overrides[i].MergePatch, c.Overrides[i].StrategicPatch = "", "", ""
	}
	text, err := json.Marshal(said)
	if err != nil {
		// Nothing in it can fail to be printed.
		text = fmt.Appendf(nil, "%#v", said)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:revisionLength]
}

// canonicalTexts are the documents of the texts, or the texts where they cannot be read.
func canonicalTexts(texts []string) []string {
	if documents, ok := Canonical(texts); ok {
		return documents
	}
	return texts
}

// Canonical prints every document of the texts the same way, whatever its formatting, and sorts them. ok is false where one cannot be printed.
func Canonical(texts []string) (documents []string, ok bool) {
	ok = true
	manifest.Decode("", texts).Each(func(document map[string]any) {
		text, err := json.Marshal(document)
		ok = ok && err == nil
		documents = append(documents, string(text))
	})
	slices.Sort(documents)
	return documents, ok
}

func (s Source) content() content {
	c := content{Texts: s.Texts, Fallback: s.Fallback, Template: s.Template, Namespace: s.Namespace, WriteOnlyVersion: s.WriteOnlyVersion}
	for _, v := range s.Variants {
		c.Variants = append(c.Variants, contentVariant{Clusters: specOf(v.Clusters), Texts: v.Texts, Withheld: v.Withheld})
	}
	for _, o := range s.Overrides {
		c.Overrides = append(c.Overrides, contentOverride{
			Clusters: specOf(o.Clusters), Target: o.Target, JSONPatch: o.Rule.JSONPatch, MergePatch: o.Rule.MergePatch, StrategicPatch: o.Rule.StrategicPatch,
			Images: o.Rule.Images, Exclude: o.Rule.Exclude,
		})
	}
	return c
}

func specOf(s *placement.Selector) *fleet.Selector {
	if s == nil {
		return nil
	}
	spec := s.Spec()
	return &spec
}

// contentFor is the source as the cluster keeps it: a Secret that is another cluster's variant is not spread over the fleet.
func (s Source) contentFor(c fleet.Cluster) (inventory.Content, error) {
	kept := s.content()
	own, _, err := s.variant(c, nil)
	if err != nil {
		return inventory.Content{}, err
	}
	for i := range kept.Variants {
		if i != own && hasSecret(kept.Variants[i].Texts) {
			kept.Variants[i].Texts, kept.Variants[i].Withheld = nil, true
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return inventory.Content{}, fmt.Errorf("encode the content of a revision: %w", err)
	}
	return inventory.NewContent(text)
}

// hasSecret tells whether any of the documents is a Secret.
func hasSecret(texts []string) bool {
	found := false
	manifest.Decode("", texts).Each(func(document map[string]any) {
		items, ok := listItems(document)
		if !ok {
			items = []any{document}
		}
		for _, item := range items {
			object, _ := item.(map[string]any)
			found = found || object["kind"] == "Secret"
		}
	})
	return found
}

// parseContent reads what contentFor made.
func parseContent(text []byte) (Source, error) {
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return Source{}, fmt.Errorf("read the content of a revision: %w", err)
	}
	s := Source{Texts: c.Texts, Fallback: c.Fallback, Template: c.Template, Namespace: c.Namespace, WriteOnlyVersion: c.WriteOnlyVersion}
	for _, v := range c.Variants {
		selector, err := compiled(v.Clusters)
		if err != nil {
			return s, err
		}
		s.Variants = append(s.Variants, Variant{Clusters: selector, Texts: v.Texts, Withheld: v.Withheld})
	}
	for _, o := range c.Overrides {
		selector, err := compiled(o.Clusters)
		if err != nil {
			return s, err
		}
		s.Overrides = append(s.Overrides, Override{Clusters: selector, Target: o.Target, Rule: override.Rule{
			JSONPatch: o.JSONPatch, MergePatch: o.MergePatch, StrategicPatch: o.StrategicPatch, Images: o.Images, Exclude: o.Exclude,
		}})
	}
	return s, nil
}

func compiled(spec *fleet.Selector) (*placement.Selector, error) {
	if spec == nil {
		return nil, nil
	}
	selector, err := placement.Compile(*spec)
	if err != nil {
		return nil, fmt.Errorf("read a selector of a revision: %w", err)
	}
	return selector, nil
}
