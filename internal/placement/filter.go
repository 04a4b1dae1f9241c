package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// filter judges every cluster by all that has to hold whatever the others are.
func (s *scheduling) filter() error {
	s.verdicts = make([]Verdict, len(s.clusters))
	var failed EvaluationErrors
	for i := range s.clusters {
		verdict, errs := judgeAny(s.policy.Selectors, s.clusters[i], s.unknown[i])
		if len(errs) > 0 {
			failed = append(failed, errs...)
			continue
		}
		for _, condition := range []func(int) Verdict{s.notLost, s.notGone, s.serves, s.untainted, s.answers, s.spreadable} {
			if verdict = both(verdict, func() Verdict { return condition(i) }); verdict.Outcome == Fails {
				break
			}
		}
		s.verdicts[i] = verdict
	}
	failed = append(failed, s.joinAffinities()...)
	if len(failed) > 0 {
		return failed.grouped()
	}
	return nil
}

// both is the verdict of two conditions of which the first is asked first: the reason of the second is certain only
// where the first is sure to hold.
func both(first Verdict, second func() Verdict) Verdict {
	if first.Outcome == Fails {
		return first
	}
	verdict := second()
	switch {
	case verdict.Outcome == Fails && first.Outcome == Undecided:
		return fails("")
	case verdict.Outcome == Matches:
		return first
	}
	return verdict
}

func (s *scheduling) notLost(i int) Verdict {
	if slices.Contains(s.policy.Lost, s.clusters[i].Name) {
		return fails("named in lost")
	}
	return matches
}

func (s *scheduling) notGone(i int) Verdict {
	switch {
	case s.unknown[i].Field("mode"):
		return undecided
	case s.clusters[i].Mode == fleet.ModeDecommissioned:
		return fails("the cluster is decommissioned")
	}
	return matches
}

// serves judges by the APIs that were discovered.
func (s *scheduling) serves(i int) Verdict {
	if len(s.policy.RequiredAPIs) == 0 {
		return matches
	}
	if s.unknown[i].Entry("facts", "apis") {
		return undecided
	}
	served := s.clusters[i].Facts.APIs
	if served == nil {
		return fails(`its APIs are not known; its fleet_cluster has to discover = ["apis"]`)
	}
	var missing []string
	for _, api := range s.policy.RequiredAPIs {
		if !slices.Contains(served, api) {
			missing = append(missing, api+otherVersions(api, served))
		}
	}
	if len(missing) > 0 {
		return fails("does not serve " + list(missing, "%s"))
	}
	return matches
}

// otherVersions says in which versions an API is served instead.
func otherVersions(api string, served []string) string {
	group, kind := apiParts(api)
	var versions []string
	for _, candidate := range served {
		if g, k := apiParts(candidate); g == group && k == kind {
			versions = append(versions, candidate)
		}
	}
	if len(versions) == 0 {
		return ""
	}
	return " (but " + list(versions, "%s") + ")"
}

// apiParts splits "group/version/Kind" and "version/Kind" into group and kind.
func apiParts(api string) (group, kind string) {
	parts := strings.Split(api, "/")
	if len(parts) == 3 {
		group = parts[0]
	}
	return group, parts[len(parts)-1]
}

// answers judges clusters that do not answer. Where that does not make them lost, it only keeps them from being chosen
// anew, so that a network that is down for a minute moves nothing.
func (s *scheduling) answers(i int) Verdict {
	c := &s.clusters[i]
	if !c.Active() || s.in.Answering[c.Name] {
		return matches
	}
	automatic := s.policy.Failover == FailoverAutomatic
	if !automatic && (s.before[i] || s.tolerated(fleet.Taint{Key: TaintUnreachable, Effect: fleet.NoSelectIfNew})) {
		return matches
	}
	switch {
	case s.unknown[i].Field("reachable"):
		return undecided
	case c.Reachable:
		return matches
	case automatic:
		return fails("the cluster does not answer, and failover is automatic")
	}
	return fails("the cluster does not answer, and was not chosen before")
}

// spreadable wants the clusters to have what they are spread over.
func (s *scheduling) spreadable(i int) Verdict {
	sofar := matches
	for _, spread := range s.policy.Spread {
		if !spread.hard() {
			continue
		}
		sofar = both(sofar, func() Verdict {
			if _, set, known := spread.value(s.clusters[i], s.unknown[i]); !known {
				return undecided
			} else if !set {
				return fails(fmt.Sprintf("%s is not set, and clusters are spread over it", spread))
			}
			return matches
		})
	}
	return sofar
}

// nameWarnings are those of all selectors of the policy.
func (s *scheduling) nameWarnings() []string {
	if len(s.clusters) == 0 {
		return nil
	}
	found := warnings(s.policy.Selectors, s.names)
	for _, a := range s.policy.Affinities {
		found = append(found, warningsOf(a.Selector, fmt.Sprintf("affinity %q: ", a.Name), s.names)...)
	}
	for _, g := range s.policy.Groups {
		found = append(found, warningsOf(g.Selector, fmt.Sprintf("group %q: ", g.Name), s.names)...)
	}
	for _, name := range s.policy.Lost {
		if !s.names[name] {
			found = append(found, fmt.Sprintf("lost has %q, but no cluster has this name%s", name, cmp.Or(fleet.DidYouMean(name, sortedKeys(s.names)), ".")))
		}
	}
	return found
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
