package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Decision says which clusters are chosen, and why the others are not. Every cluster is in exactly one of
// Selected, Rejected and Undecided.
type Decision struct {
	// Selected are the names of the chosen clusters, sorted.
	Selected []string
	// Rejected gives each cluster that is not chosen the reason, as a sentence. The reason is empty where the
	// cluster is rejected for sure but the sentence depends on something unknown.
	Rejected map[string]string
	// Undecided are the clusters for which it depends on something unknown, sorted.
	Undecided []string
	// Warnings are sentences about arguments that cannot mean what they say, such as a name no cluster has.
	Warnings []string

	// Compromises are sentences about what is asked for and cannot be had.
	Compromises []string
	// Changes are sentences about the clusters that leave and enter; see ChangesUnknown.
	Changes []string
	// ChangesUnknown says that why a cluster leaves depends on something unknown.
	ChangesUnknown bool
	// Affinity is the name of the one in use; empty without affinities, and where it depends on something unknown.
	Affinity string
	// Scores are those of the clusters that competed, where there was a limit to compete for.
	Scores map[string]Score
	// Groups gives chosen clusters their decision group, and Shares their share of replicas; nil where none are asked for. A
	// chosen cluster that is missing depends on something unknown.
	Groups map[string]string
	Shares map[string]Share
}

// Select chooses the clusters that any of the selectors matches; without selectors it chooses all. What is
// unknown about a cluster stands in unknown under its name. The error is an [EvaluationErrors], or says that two
// clusters have the same name.
func Select(selectors []*Selector, clusters []fleet.Cluster, unknown map[string]Unknown) (Decision, error) {
	decision := Decision{Selected: []string{}, Rejected: map[string]string{}}
	seen := make(map[string]bool, len(clusters))
	var failed EvaluationErrors
	for _, c := range clusters {
		if seen[c.Name] {
			return Decision{}, fmt.Errorf("two clusters have the name %q", c.Name)
		}
		seen[c.Name] = true
		verdict, errs := judgeAny(selectors, c, unknown[c.Name])
		switch {
		case len(errs) > 0:
			failed = append(failed, errs...)
		case verdict.Outcome == Matches:
			decision.Selected = append(decision.Selected, c.Name)
		case verdict.Outcome == Fails:
			decision.Rejected[c.Name] = verdict.Reason
		default:
			decision.Undecided = append(decision.Undecided, c.Name)
		}
	}
	if len(failed) > 0 {
		return Decision{}, failed.grouped()
	}
	slices.Sort(decision.Selected)
	slices.Sort(decision.Undecided)
	decision.Warnings = warnings(selectors, seen)
	return decision, nil
}

// judgeAny asks selectors of which one must match: a match decides, whatever the others say.
func judgeAny(selectors []*Selector, c fleet.Cluster, unknown Unknown) (Verdict, EvaluationErrors) {
	if len(selectors) == 0 {
		return matches, nil
	}
	var (
		open    bool
		reasons []string
		errs    EvaluationErrors
	)
	for i, s := range selectors {
		verdict, failed := s.judge(c, unknown)
		switch {
		case failed != nil:
			failed.Selector = i
			errs = append(errs, failed)
		case verdict.Outcome == Matches:
			return matches, nil
		case verdict.Outcome == Undecided:
			open = true
		default:
			reasons = append(reasons, verdict.Reason)
		}
	}
	if open {
		// What is open may yet match, and then nobody asks about the errors of the others.
		return undecided, nil
	}
	return fails(explain(reasons)), errs
}

// explain joins the reasons of all selectors into one sentence.
func explain(reasons []string) string {
	if slices.Contains(reasons, "") {
		return ""
	}
	if len(reasons) == 1 {
		return reasons[0]
	}
	parts := make([]string, 0, len(reasons))
	for i, reason := range reasons {
		parts = append(parts, fmt.Sprintf("selector %d: %s", i+1, reason))
	}
	return joined(parts)
}

// joined makes one sentence of reasons that hold together.
func joined(reasons []string) string { return strings.Join(reasons, "; and ") }

// warnings finds names that no cluster has. A fleet without clusters is not worth one warning for each name.
func warnings(selectors []*Selector, clusters map[string]bool) []string {
	var found []string
	for i, s := range selectors {
		where := ""
		if len(selectors) > 1 {
			where = fmt.Sprintf("selector %d: ", i+1)
		}
		found = append(found, warningsOf(s, where, clusters)...)
	}
	return found
}

// warningsOf are those of one selector, each with where it stands before it.
func warningsOf(s *Selector, where string, clusters map[string]bool) []string {
	if s == nil || len(clusters) == 0 {
		return nil
	}
	var found []string
	for _, argument := range []struct {
		name  string
		names []string
	}{{"names", s.names}, {"exclude", s.exclude}} {
		for _, name := range argument.names {
			if !clusters[name] {
				found = append(found, fmt.Sprintf("%s%s has %q, but no cluster has this name%s",
					where, argument.name, name, cmp.Or(fleet.DidYouMean(name, slices.Collect(maps.Keys(clusters))), ".")))
			}
		}
	}
	return found
}
