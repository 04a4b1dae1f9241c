package deploy

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// removal is what the set's policies say about the end of its objects on one cluster. The inventory keeps it there, because a
// cluster is drained by its fleet_cluster, which knows of the sets only what their inventories say.
type removal struct {
	Deletion    fleet.Deletion             `json:"deletion,omitempty"`
	OnAdopted   fleet.OnAdopted            `json:"on_adopted,omitempty"`
	Propagation metav1.DeletionPropagation `json:"propagation,omitempty"`
	Rules       []removalRule              `json:"rules,omitempty"`
}

// removalRule is a rule that holds on the cluster, whatever it was that chose the cluster.
type removalRule struct {
	manifest.Target
	Deletion  fleet.Deletion  `json:"deletion,omitempty"`
	OnAdopted fleet.OnAdopted `json:"on_adopted,omitempty"`
}

// removalText prints what the set's policies come to on the cluster; the defaults are the empty text.
func (s Set) removalText(c fleet.Cluster) (string, error) {
	r := removal{Deletion: s.Policy.Deletion, OnAdopted: s.Policy.OnAdopted, Propagation: s.Propagation}
	for _, rule := range s.Rules {
		if rule.Deletion == "" && rule.OnAdopted == "" {
			continue
		}
		if rule.Clusters != nil {
			if chosen, _, err := rule.Clusters.Match(c); err != nil {
				return "", err
			} else if !chosen {
				continue
			}
		}
		r.Rules = append(r.Rules, removalRule{Target: rule.Target, Deletion: rule.Deletion, OnAdopted: rule.OnAdopted})
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode what becomes of removed objects: %w", err)
	}
	if string(text) == "{}" {
		return "", nil
	}
	return string(text), nil
}

// removalDigest is what state keeps of such a text.
func removalDigest(text string) string {
	if text == "" {
		return ""
	}
	return ssa.Digest(text)
}

// withRemoval is the set with the policies that removalText printed.
func (s Set) withRemoval(text string) (Set, error) {
	var r removal
	if text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return s, fmt.Errorf("read what becomes of removed objects from the inventory of the set %q: %w", s.Name, err)
		}
	}
	s.Policy.Deletion, s.Policy.OnAdopted, s.Propagation, s.Rules = r.Deletion, r.OnAdopted, r.Propagation, nil
	for _, rule := range r.Rules {
		s.Rules = append(s.Rules, Rule{Target: rule.Target, Deletion: rule.Deletion, OnAdopted: rule.OnAdopted})
	}
	return s, nil
}
