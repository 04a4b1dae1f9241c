package deploy

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Parentage is what state keeps of the set's inventory, above all what the last read found amiss with it, so that every plan that
// follows from the state says the same about it.
type Parentage struct {
	// Lost tells that somebody has deleted the inventory.
	Lost bool `json:"l,omitempty"`
	// Owner is the other owner that has the set now.
	Owner string `json:"o,omitempty"`
	// Removal is the digest of what it says about the end of objects; empty for the defaults.
	Removal string `json:"r,omitempty"`
	// Stored tells that the cluster keeps the content of the revision that it runs.
	Stored bool `json:"s,omitempty"`
}

// parentage judges the parent that was read of a set that state knows.
func (s *site) parentage(prior ClusterState, parent *inventory.Parent) Parentage {
	if parent == nil {
		return Parentage{Lost: len(prior.Objects) > 0 || len(prior.Applied.Objects) > 0, Removal: prior.Applied.Parent.Removal}
	}
	found := Parentage{Removal: removalDigest(parent.Removal), Stored: parent.Contents[parent.Revision] > 0}
	if s.set.Owner != "" && parent.Owner != s.set.Owner {
		found.Owner = parent.Owner
	}
	return found
}

// planParent adds what is to be done about the inventory to the plan of a cluster that state knows.
func planParent(plan *ClusterPlan, set Set, name string, prior ClusterState) Problems {
	if plan.Unknown || plan.Gone || plan.Deferred != "" {
		return nil
	}
	found := prior.Applied.Parent
	if c, stays := set.Clusters[name]; stays && len(prior.Applied.Objects) > 0 {
		removal, err := set.removalText(c)
		if err != nil {
			return problems(name, nil, err)
		}
		plan.Instruct = removalDigest(removal) != found.Removal
	}
	switch {
	case found.Lost && !plan.Leaving:
		plan.Repair = true
		for key, o := range plan.Objects {
			if o.salted() {
				// The salt is gone with the inventory, and nobody knows what these digests will be.
				plan.Objects[key] = ObjectPlan{Action: o.Action}
			}
		}
	case found.Owner == "" || set.Owner == "" || found.Owner == set.Owner:
	case found.Owner == set.Takeover, found.Owner == prior.Applied.From:
		plan.TakeOver = found.Owner
		return Problems{{Cluster: name, Err: errors.New(takeoverText(found.Owner)), Warning: true}}
	default:
		return problems(name, nil, otherOwner(set, &inventory.Parent{Owner: found.Owner}))
	}
	return nil
}

// inventorySentences says what the plan does to the inventory, and tells whether that is worth a word even where objects change.
func (c ClusterPlan) inventorySentences(name string, all *sentences) (said bool) {
	if c.Repair {
		all.add(name, "repair the inventory", "")
	}
	if c.TakeOver != "" {
		all.add(name, fmt.Sprintf("take the set over from owner %q", c.TakeOver), "")
	}
	if c.Move != "" {
		all.add(name, "move the set "+c.Move, "")
	}
	return c.Repair || c.TakeOver != "" || c.Move != ""
}

func takeoverText(owner string) string {
	return fmt.Sprintf("the set belongs to owner %q, and applying takes it over, with its objects; that owner's configuration is refused from then on", owner)
}

// otherOwner refuses a set that another configuration has put on the cluster.
func otherOwner(set Set, parent *inventory.Parent) error {
	return fmt.Errorf("the set %q on this cluster belongs to owner %q, this configuration is %q. To take the set over with all its objects, set takeover = %[2]q; "+
		"to have nothing to do with it, choose another name. If this is the configuration that it belongs to, the provider's owner has to be %[2]q again. "+
		"If it was taken over, forget it here: terraform state rm, or the cluster's name in abandon", set.Name, parent.Owner, set.Owner)
}

// digestPrefix begins every digest that stands for a secret value.
const digestPrefix = `"(sensitive `

// salted tells whether any value that the plan speaks of is a salted digest.
func (o ObjectPlan) salted() bool {
	if o.Fields.IsUnread() {
		return true
	}
	for _, value := range o.Fields {
		if strings.HasPrefix(value, digestPrefix) {
			return true
		}
	}
	for _, d := range o.Changes {
		if strings.HasPrefix(d.From, digestPrefix) || strings.HasPrefix(d.To, digestPrefix) {
			return true
		}
	}
	return false
}

// remembered gives the digests that state has, for an object that is read without the salt they were made with: whether its
// values have changed cannot be told.
func remembered(m ssa.Mask, prior ssa.Fields) ssa.Mask {
	return func(obj *unstructured.Unstructured, path fieldpath.Path, value string) string {
		masked := m(obj, path, value)
		if was, ok := prior[fleet.FormatPath(path)]; ok && masked != value {
			return was
		}
		return masked
	}
}
