package placement

import (
	"cmp"
	"slices"
)

// group divides the chosen clusters into decision groups: each group in order takes those it matches and that are left,
// the ones that were in it before first. A cluster whose group depends on something unknown is left out.
func (s *scheduling) group(chosen []int) (map[string]string, EvaluationErrors) {
	if len(s.policy.Groups) == 0 {
		return nil, nil
	}
	groups := make(map[string]string, len(chosen))
	left := slices.Clone(chosen)
	var failed EvaluationErrors
	for index, g := range s.policy.Groups {
		var matching, others, open []int
		for _, i := range left {
			verdict, err := s.judge(g.Selector, i, "groups", index)
			if err != nil {
				failed = append(failed, err)
			}
			switch verdict.Outcome {
			case Matches:
				matching = append(matching, i)
			case Fails:
				others = append(others, i)
			case Undecided:
				open = append(open, i)
			}
		}
		if len(open) > 0 && g.Size != (Size{}) {
			// Whether the open ones take a place decides about all that are left.
			return groups, failed
		}
		slices.SortStableFunc(matching, func(a, b int) int { return cmp.Compare(s.wasIn(b, g.Name), s.wasIn(a, g.Name)) })
		size := g.Size.of(len(chosen))
		for n, i := range matching {
			if n < size {
				groups[s.clusters[i].Name] = g.Name
			} else {
				others = append(others, i)
			}
		}
		if len(open) > 0 && s.sizedFrom(index+1) {
			return groups, failed
		}
		slices.Sort(others)
		left = others
	}
	for _, i := range left {
		groups[s.clusters[i].Name] = RestGroup
	}
	return groups, failed
}

// sizedFrom tells whether a group from this one on takes only so many.
func (s *scheduling) sizedFrom(index int) bool {
	return slices.ContainsFunc(s.policy.Groups[index:], func(g Group) bool { return g.Size != Size{} })
}

// wasIn is 1 for a cluster that was in the group before.
func (s *scheduling) wasIn(i int, group string) int {
	if s.in.Previous.Groups[s.clusters[i].Name] == group {
		return 1
	}
	return 0
}
