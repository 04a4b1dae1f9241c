package placement

import (
	"fmt"
	"slices"
)

// attempt is the choice among the clusters of one affinity, or among all where there are none.
type attempt struct {
	// affinity is its position; -1 where there are none.
	affinity int
	// member are the clusters that may be chosen, open those that may yet turn out to be.
	member, open []bool
	size, maybe  int
	// undecided says that what is unknown matters to every cluster.
	undecided bool

	picked   []bool
	count    int
	reasons  []string
	ranking  *ranking
	warnings []string
	problems []Problem
}

// use finds the affinity to use: the one in use before while that can give what is asked for, else the first that can,
// else the one that gives the most. The result is nil where that depends on something unknown.
func (s *scheduling) use() (*attempt, map[int]*attempt, error) {
	if len(s.policy.Affinities) == 0 {
		a, err := s.attempt(-1)
		switch {
		case err != nil:
			return nil, nil, err
		case a.undecided:
			return nil, nil, nil
		case len(a.problems) > 0:
			return nil, nil, &InvalidPolicyError{a.problems}
		}
		return a, nil, nil
	}
	attempts := map[int]*attempt{}
	var best *attempt
	var problems []Problem
	open := false
	for _, i := range s.affinityOrder() {
		a, err := s.attempt(i)
		if err != nil {
			return nil, nil, err
		}
		attempts[i] = a
		open = open || a.maybe > 0 || a.undecided
		usable, decided := s.usable(a)
		switch {
		case !decided:
			return nil, nil, nil
		case usable:
			return a, attempts, nil
		case len(a.problems) > 0 && problems == nil:
			problems = a.problems
		}
		if len(a.problems) == 0 && (best == nil || a.count > best.count) {
			best = a
		}
	}
	if open {
		// Which has the most depends on the clusters that may yet fit.
		return nil, nil, nil
	}
	if best == nil || best.count == 0 && len(problems) > 0 {
		return nil, nil, &InvalidPolicyError{problems}
	}
	if len(s.policy.Affinities) > 1 && best.count > 0 {
		best.warnings = append(best.warnings, fmt.Sprintf("No affinity has all the clusters asked for; %q has the most of them, %d.",
			s.policy.Affinities[best.affinity].Name, best.count))
	}
	return best, attempts, nil
}

// affinityOrder begins with the one in use, unless it is to be left as soon as that is possible.
func (s *scheduling) affinityOrder() []int {
	order := make([]int, 0, len(s.policy.Affinities))
	current := slices.IndexFunc(s.policy.Affinities, func(a Affinity) bool { return a.Name == s.in.Previous.Affinity })
	if current >= 0 && !s.policy.Failback {
		order = append(order, current)
	}
	for i := range s.policy.Affinities {
		if i != current || s.policy.Failback {
			order = append(order, i)
		}
	}
	return order
}

// usable tells whether the attempt gives all that is asked for; decided is false where that depends on something unknown.
func (s *scheduling) usable(a *attempt) (usable, decided bool) {
	least := 1
	if s.policy.NumberOfClusters != nil {
		least = int(*s.policy.NumberOfClusters)
	}
	switch {
	case a.size+a.maybe < least:
		return false, true
	case a.undecided:
		return false, false
	case len(a.problems) > 0:
		return false, true
	}
	return a.count >= least, a.count >= least || a.maybe == 0
}

// attempt chooses among the clusters of an affinity.
func (s *scheduling) attempt(affinity int) (*attempt, error) {
	n := len(s.clusters)
	a := &attempt{affinity: affinity, member: make([]bool, n), open: make([]bool, n), picked: make([]bool, n), reasons: make([]string, n)}
	members := make([]int, 0, n)
	for i := range s.clusters {
		outcome := s.verdicts[i].Outcome
		if affinity >= 0 && outcome != Fails {
			if in := s.inAffinity[affinity][i].Outcome; in != Matches && (in == Fails || outcome == Matches) {
				outcome = in
			}
		}
		switch outcome {
		case Matches:
			a.member[i] = true
			members = append(members, i)
		case Undecided:
			a.open[i] = true
			a.maybe++
		case Fails:
		}
	}
	a.size = len(members)
	return a, s.choose(a, members)
}

// choose decides about the members. Without a limit each is chosen; otherwise they compete.
func (s *scheduling) choose(a *attempt, members []int) error {
	want := len(members)
	if n := s.policy.NumberOfClusters; n != nil && *n < int64(want) {
		want = int(*n)
	}
	competing := want < len(members) || len(s.policy.Spread) > 0
	if n := s.policy.NumberOfClusters; a.maybe > 0 && (len(s.policy.Spread) > 0 || n != nil && *n < int64(a.size+a.maybe)) {
		a.undecided = true
		return nil
	}
	if s.policy.limited() {
		var err error
		if a.ranking, err = s.rank(members); err != nil {
			return err
		}
		if competing && (a.ranking.unknown || s.spreadUnknown(members)) {
			a.undecided = true
			return nil
		}
	}
	if !competing {
		for _, i := range members {
			a.picked[i] = true
		}
		a.count = len(members)
	} else {
		s.pick(a, want)
	}
	if n := s.policy.NumberOfClusters; n != nil && a.maybe == 0 && int64(a.count) < *n && len(a.problems) == 0 {
		a.warnings = append([]string{s.shortage(a, int(*n))}, a.warnings...)
	}
	return nil
}

// shortage says that there are fewer clusters than asked for.
func (s *scheduling) shortage(a *attempt, n int) string {
	why := fmt.Sprintf("only %d of %d fit", a.size, len(s.clusters))
	if a.count < a.size {
		why = fmt.Sprintf("%d fit, and spread allows no more", a.size)
	}
	return fmt.Sprintf("%d of the %d clusters asked for can be chosen: %s.", a.count, n, why)
}

// joinAffinities rejects the clusters that are in no affinity.
func (s *scheduling) joinAffinities() EvaluationErrors {
	var failed EvaluationErrors
	s.inAffinity = make([][]Verdict, len(s.policy.Affinities))
	for a := range s.policy.Affinities {
		s.inAffinity[a] = make([]Verdict, len(s.clusters))
	}
	for i := range s.clusters {
		if s.verdicts[i].Outcome == Fails {
			continue
		}
		nowhere, reasons := len(s.policy.Affinities) > 0, []string{}
		for a, affinity := range s.policy.Affinities {
			verdict, err := s.judge(affinity.Selector, i, "affinities", a)
			if err != nil {
				failed = append(failed, err)
			}
			s.inAffinity[a][i] = verdict
			nowhere = nowhere && verdict.Outcome == Fails
			if verdict.Reason != "" {
				reasons = append(reasons, fmt.Sprintf("affinity %q: %s", affinity.Name, verdict.Reason))
			}
		}
		if nowhere {
			reason := ""
			if s.verdicts[i].Outcome == Matches && len(reasons) == len(s.policy.Affinities) {
				reason = joined(reasons)
			}
			s.verdicts[i] = fails(reason)
		}
	}
	return failed
}

// notInUse says why a cluster of another affinity is not chosen.
func (s *scheduling) notInUse(i int, used *attempt, attempts map[int]*attempt) string {
	if s.verdicts[i].Outcome == Undecided {
		return ""
	}
	current := s.policy.Affinities[used.affinity].Name
	for a, affinity := range s.policy.Affinities {
		switch s.inAffinity[a][i].Outcome {
		case Fails:
			continue
		case Undecided:
			return ""
		case Matches:
		}
		tried, found := attempts[a]
		switch {
		case found && (tried.maybe > 0 || tried.undecided):
			return ""
		case found && s.policy.NumberOfClusters != nil && len(tried.problems) == 0:
			return fmt.Sprintf("affinity %q is passed over: it has %d of the %d clusters asked for; %q is in use",
				affinity.Name, tried.count, *s.policy.NumberOfClusters, current)
		case found:
			return fmt.Sprintf("affinity %q is passed over: it cannot give what is asked for; %q is in use", affinity.Name, current)
		case a < used.affinity:
			return fmt.Sprintf("affinity %q is not returned to: %q is in use, and failback is not asked for", affinity.Name, current)
		}
		return fmt.Sprintf("affinity %q is in reserve: %q is in use", affinity.Name, current)
	}
	return ""
}
