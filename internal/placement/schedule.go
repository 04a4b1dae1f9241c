package placement

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Input is what a decision is made from, besides the policy.
type Input struct {
	// Clusters are those to choose from, in any order.
	Clusters []fleet.Cluster
	// Unknown is what is not known yet, by cluster.
	Unknown map[string]Unknown
	// Answering are clusters that the same apply connects to: they count as reachable, so that a plan that is made before
	// they could answer holds whether they then do or not.
	Answering map[string]bool
	// Previous is the decision before this one.
	Previous Previous
	// Others are the clusters other placements have chosen, for Balance; nil when there are none to balance over.
	Others [][]string
	// Now is what toleration_seconds are counted to. It is needed only where a taint that is tolerated for a time says
	// when it was added.
	Now time.Time
}

// Previous is what a decision remembers of the one before it.
type Previous struct {
	// Selected are the clusters that were chosen.
	Selected []string
	// Affinity was in use; empty when there was none.
	Affinity string
	// Groups are the decision groups the clusters were in.
	Groups map[string]string
}

// Schedule chooses clusters as the policy says. The same policy and input always give the same decision, which given
// back as the previous one is kept. The error is an [*InvalidPolicyError] or an [EvaluationErrors], or says that two
// clusters have the same name.
func Schedule(policy Policy, in Input) (Decision, error) {
	if problems := policy.Check(); len(problems) > 0 {
		return Decision{}, &InvalidPolicyError{problems}
	}
	first, err := schedule(&policy, in)
	if err != nil || len(first.Undecided) > 0 {
		return first, err
	}
	decision := first
	if policy.limited() || len(policy.Affinities) > 0 {
		// Scores and reasons depend on what was chosen before. Those that are given are the ones that stay.
		again := in
		for range mostRounds {
			before := decision
			again.Previous = Previous{Selected: before.Selected, Affinity: before.Affinity, Groups: before.Groups}
			if decision, err = schedule(&policy, again); err != nil {
				return Decision{}, err
			}
			if len(decision.Undecided) > 0 {
				return decision, nil
			}
			if slices.Equal(before.Selected, decision.Selected) && before.Affinity == decision.Affinity {
				break
			}
		}
	}
	decision.explainChanges(in.Previous, first)
	return decision, nil
}

// mostRounds bounds how often a decision is made again until nothing moves. With one spread constraint the first round
// finds that; with several, a second may find what the first did not.
const mostRounds = 5

// schedule makes one decision.
func schedule(policy *Policy, in Input) (Decision, error) {
	s, err := newScheduling(policy, in)
	if err != nil {
		return Decision{}, err
	}
	if err := s.filter(); err != nil {
		return Decision{}, err
	}
	if problems := s.checkInput(); len(problems) > 0 {
		return Decision{}, &InvalidPolicyError{problems}
	}
	return s.decide()
}

// scheduling is a decision in the making.
type scheduling struct {
	policy   *Policy
	in       Input
	clusters []fleet.Cluster // by name
	unknown  []Unknown
	before   []bool // chosen by the previous decision
	names    map[string]bool

	// verdicts are those of all filters; inAffinity those of each affinity.
	verdicts   []Verdict
	inAffinity [][]Verdict
	// timeless are the clusters with a taint that a toleration with an end tolerates for ever.
	timeless map[int][]string
	needsNow []Problem
}

func newScheduling(policy *Policy, in Input) (*scheduling, error) {
	s := &scheduling{policy: policy, in: in, names: make(map[string]bool, len(in.Clusters)), timeless: map[int][]string{}}
	s.clusters = slices.Clone(in.Clusters)
	slices.SortFunc(s.clusters, func(a, b fleet.Cluster) int { return cmp.Compare(a.Name, b.Name) })
	previous := make(map[string]bool, len(in.Previous.Selected))
	for _, name := range in.Previous.Selected {
		previous[name] = true
	}
	s.unknown = make([]Unknown, len(s.clusters))
	s.before = make([]bool, len(s.clusters))
	for i := range s.clusters {
		name := s.clusters[i].Name
		if s.names[name] {
			return nil, fmt.Errorf("two clusters have the name %q", name)
		}
		s.names[name] = true
		s.unknown[i], s.before[i] = in.Unknown[name], previous[name]
	}
	return s, nil
}

// judge asks the selector of an argument's item about a cluster. Without a selector every cluster matches.
func (s *scheduling) judge(selector *Selector, i int, argument string, item int) (Verdict, *EvaluationError) {
	if selector == nil {
		return matches, nil
	}
	verdict, failed := selector.judge(s.clusters[i], s.unknown[i])
	if failed != nil {
		failed.Argument, failed.Selector = argument, item
	}
	return verdict, failed
}

// decide chooses among the clusters that the filters let through.
func (s *scheduling) decide() (Decision, error) {
	decision := Decision{Selected: []string{}, Rejected: map[string]string{}}
	used, attempts, err := s.use()
	if err != nil {
		return Decision{}, err
	}
	chosen := make([]int, 0, len(s.clusters))
	for i, c := range s.clusters {
		switch {
		case s.verdicts[i].Outcome == Fails:
			decision.Rejected[c.Name] = s.verdicts[i].Reason
		case used == nil:
			decision.Undecided = append(decision.Undecided, c.Name)
		case !used.member[i] && used.open[i]:
			decision.Undecided = append(decision.Undecided, c.Name)
		case !used.member[i]:
			decision.Rejected[c.Name] = s.notInUse(i, used, attempts)
		case used.picked[i]:
			decision.Selected = append(decision.Selected, c.Name)
			chosen = append(chosen, i)
		default:
			decision.Rejected[c.Name] = used.reasons[i]
		}
	}
	decision.Warnings = append(s.nameWarnings(), s.timelessWarnings()...)
	if used == nil {
		return decision, nil
	}
	decision.Compromises = used.warnings
	decision.Scores = used.reported(s)
	if used.affinity >= 0 {
		decision.Affinity = s.policy.Affinities[used.affinity].Name
	}
	if len(decision.Undecided) > 0 {
		return decision, nil
	}
	var failed EvaluationErrors
	decision.Groups, failed = s.group(chosen)
	shares, problems, more := s.weigh(chosen)
	decision.Shares = shares
	if failed = append(failed, more...); len(failed) > 0 {
		return Decision{}, failed.grouped()
	}
	if len(problems) > 0 {
		return Decision{}, &InvalidPolicyError{problems}
	}
	return decision, nil
}
