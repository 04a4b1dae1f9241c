package placement

import (
	"cmp"
	"fmt"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// checkInput lists what is wrong with the policy for just these clusters.
func (s *scheduling) checkInput() []Problem {
	problems := s.needsNow
	if len(s.clusters) == 0 {
		return problems
	}
	for index, spread := range s.policy.Spread {
		if detail := s.checkTopology(spread); detail != "" {
			problems = append(problems, Problem{Argument: "spread", Index: index, Field: "topology_key", Detail: detail})
		}
	}
	for index, p := range s.policy.Prioritizers {
		field, detail := "type", ""
		switch p.Type {
		case Balance:
			if s.in.Others == nil && p.Weight != 0 {
				detail = "there is nothing to balance over; give other placements in balance_over"
			}
		case PropertyScore:
			field, detail = "property", s.checkProperty(p.Property)
		case AllocatableCPU, AllocatableMemory:
			detail = s.checkAllocatable(resourceName(p.Type))
		case Steady, AvoidTainted, ExpressionScore:
		}
		if detail != "" {
			problems = append(problems, Problem{Argument: "prioritizers", Index: index, Field: field, Detail: detail})
		}
	}
	return problems
}

// checkTopology refuses a key that no cluster has.
func (s *scheduling) checkTopology(spread Spread) string {
	others := map[string]bool{}
	for i, c := range s.clusters {
		if _, set, known := spread.value(c, s.unknown[i]); set || !known {
			return ""
		}
		texts := c.Labels
		if spread.kind() == TopologyProperty {
			texts = c.Properties
		}
		for key := range texts {
			others[key] = true
		}
	}
	return fmt.Sprintf("no cluster has the %s%s", spread, cmp.Or(fleet.DidYouMean(spread.Key, sortedKeys(others)), noneOf(others)))
}

// checkProperty refuses a property that no cluster has, and values that are no numbers.
func (s *scheduling) checkProperty(name string) string {
	others, found := map[string]bool{}, false
	for i, c := range s.clusters {
		if s.unknown[i].Entry("properties", name) {
			found = true
			continue
		}
		text, set := c.Properties[name]
		if set {
			found = true
			if _, err := parseNumber(text); err != nil {
				return fmt.Sprintf("property %s of cluster %s cannot be ranked by: %v", name, c.Name, err)
			}
		}
		for key := range c.Properties {
			others[key] = true
		}
	}
	if found {
		return ""
	}
	return fmt.Sprintf("no cluster has the property %s%s", name, cmp.Or(fleet.DidYouMean(name, sortedKeys(others)), noneOf(others)))
}

// checkAllocatable refuses to rank by what was discovered nowhere, and quantities that are none.
func (s *scheduling) checkAllocatable(name string) string {
	found := false
	for i, c := range s.clusters {
		text, set := c.Facts.Allocatable[name]
		found = found || set || s.unknown[i].Entry("facts", "allocatable")
		if set {
			if _, err := parseNumber(text); err != nil {
				return fmt.Sprintf("the allocatable %s of cluster %s cannot be ranked by: %v", name, c.Name, err)
			}
		}
	}
	if found {
		return ""
	}
	return fmt.Sprintf(`the allocatable %s of no cluster is known; let fleet_cluster discover = ["capacity"]`, name)
}

// noneOf lists what there is instead.
func noneOf(others map[string]bool) string {
	if len(others) == 0 {
		return "; they have none at all"
	}
	return "; they have " + list(sortedKeys(others), "%s")
}
