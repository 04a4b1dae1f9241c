package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// The bounds of what a prioritizer gives a cluster.
const (
	leastScore = -100
	mostScore  = 100
)

// Score is how well a cluster suits, with what each prioritizer makes of it.
type Score struct {
	// Total is the sum of the parts, each times its weight.
	Total int64
	Parts []ScorePart
	// Unknown says that a part depends on something unknown; the others are given.
	Unknown bool
}

// ScorePart is what one prioritizer makes of a cluster.
type ScorePart struct {
	// Name is the prioritizer's type, with the property or the position where there may be several of it.
	Name string
	// Value is between -100 and 100.
	Value  int64
	Weight int64
}

// weighed is a prioritizer that counts, with its position in the policy; -1 for a default.
type weighed struct {
	Prioritizer
	index int
}

// effective lists the prioritizers that count: the defaults, with the weights that the policy gives them, then the others.
func effective(given []Prioritizer, balance bool) []weighed {
	all := make([]weighed, 0, len(given)+3)
	for _, t := range []PrioritizerType{Steady, Balance, AvoidTainted} {
		if t != Balance || balance {
			all = append(all, weighed{Prioritizer{Type: t, Weight: 1}, -1})
		}
	}
	for i, p := range given {
		at := slices.IndexFunc(all, func(w weighed) bool { return w.Type == p.Type && w.index < 0 })
		if at >= 0 {
			all[at] = weighed{p, i}
			continue
		}
		all = append(all, weighed{p, i})
	}
	return slices.DeleteFunc(all, func(w weighed) bool { return w.Weight == 0 })
}

// ranking is the order of the members of an attempt, the best first.
type ranking struct {
	members []int // by name
	parts   []weighed
	values  [][]int64 // by part, by member
	missing [][]bool  // the same, where a value is unknown; nil where none is
	total   []int64
	order   []int // positions in members
	unknown bool
}

func (s *scheduling) rank(members []int) (*ranking, error) {
	r := &ranking{members: members, parts: effective(s.policy.Prioritizers, s.in.Others != nil), total: make([]int64, len(members))}
	var failed EvaluationErrors
	for _, p := range r.parts {
		values, missing, errs := s.values(p, members)
		failed = append(failed, errs...)
		r.values, r.missing = append(r.values, values), append(r.missing, missing)
		r.unknown = r.unknown || missing != nil
		for m, value := range values {
			r.total[m] += value * p.Weight
		}
	}
	if len(failed) > 0 {
		return nil, failed.grouped()
	}
	r.order = make([]int, len(members))
	for m := range members {
		r.order[m] = m
	}
	slices.SortStableFunc(r.order, func(a, b int) int {
		switch before := s.before[members[a]]; {
		case r.total[a] != r.total[b]:
			if r.total[a] > r.total[b] {
				return -1
			}
			return 1
		case before == s.before[members[b]]:
			return 0
		case before:
			return -1
		}
		return 1
	})
	return r, nil
}

// values are what one prioritizer gives the members. missing tells which depend on something unknown.
func (s *scheduling) values(p weighed, members []int) (values []int64, missing []bool, errs EvaluationErrors) {
	values = make([]int64, len(members))
	miss := func(m int) {
		if missing == nil {
			missing = make([]bool, len(members))
		}
		missing[m] = true
	}
	switch p.Type {
	case Steady:
		for m, i := range members {
			if s.before[i] {
				values[m] = mostScore
			}
		}
	case Balance:
		s.balance(members, values)
	case AvoidTainted:
		for m, i := range members {
			if s.unknown[i].Field("taints") {
				miss(m)
			} else if s.avoided(i) {
				values[m] = leastScore
			}
		}
	default:
		numbers := make([]float64, len(members))
		has := make([]bool, len(members))
		for m, i := range members {
			n, set, known, err := s.measure(p, i)
			switch {
			case err != nil:
				errs = append(errs, err)
			case !known:
				miss(m)
			default:
				numbers[m], has[m] = n, set
			}
		}
		if missing != nil {
			// Every score is relative to the least and the greatest of all.
			for m := range members {
				missing[m] = missing[m] || has[m]
			}
			return values, missing, errs
		}
		normalise(numbers, has, values)
	}
	return values, missing, errs
}

// balance counts the decisions of the other placements.
func (s *scheduling) balance(members []int, values []int64) {
	counts, most := map[string]int64{}, int64(0)
	for _, other := range s.in.Others {
		for _, name := range other {
			counts[name]++
			most = max(most, counts[name])
		}
	}
	for m, i := range members {
		values[m] = mostScore
		if n := counts[s.clusters[i].Name]; n > 0 {
			values[m] = 2 * int64(100*(0.5-float64(n)/float64(most)))
		}
	}
}

// measure reads the number that a prioritizer ranks by. A cluster that does not have it gets 0 points.
func (s *scheduling) measure(p weighed, i int) (n float64, set, known bool, failed *EvaluationError) {
	c, unknown := &s.clusters[i], s.unknown[i]
	if p.Type == ExpressionScore {
		n, known, failed = p.Expression.expression.number(*c, unknown)
		if failed != nil {
			failed.Argument, failed.Selector = "prioritizers", p.index
		}
		return n, known, known, failed
	}
	texts, entry := c.Facts.Allocatable, resourceName(p.Type)
	if p.Type == PropertyScore {
		texts, entry = c.Properties, p.Property
		known = !unknown.Entry("properties", entry)
	} else {
		known = !unknown.Entry("facts", "allocatable")
	}
	if !known {
		return 0, false, false, nil
	}
	text, set := texts[entry]
	if !set {
		return 0, false, true, nil
	}
	n, err := parseNumber(text)
	// What is no number was refused before.
	return n, err == nil, true, nil
}

func resourceName(t PrioritizerType) string {
	if t == AllocatableMemory {
		return "memory"
	}
	return "cpu"
}

// parseNumber reads a number or a Kubernetes quantity.
func parseNumber(text string) (float64, error) {
	quantity, err := resource.ParseQuantity(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor a quantity such as \"16Gi\"", text)
	}
	return quantity.AsApproximateFloat64(), nil
}

// normalise spreads numbers over the range of scores, the least at its beginning and the greatest at its end.
func normalise(numbers []float64, has []bool, values []int64) {
	first := true
	var least, most float64
	for m, n := range numbers {
		switch {
		case !has[m]:
		case first:
			least, most, first = n, n, false
		default:
			least, most = min(least, n), max(most, n)
		}
	}
	for m, n := range numbers {
		switch {
		case !has[m]:
		case least == most:
			values[m] = mostScore
		default:
			// Halves, because the difference of two numbers may be too great for one.
			values[m] = int64(((n/2-least/2)/(most/2-least/2) - 0.5) * 200)
		}
	}
}

// reported is the scores of those who competed, by name. What a taint takes off is told only of the clusters that have it.
func (a *attempt) reported(s *scheduling) map[string]Score {
	if a.ranking == nil {
		return nil
	}
	r := a.ranking
	scores := make(map[string]Score, len(r.members))
	parts := make([]ScorePart, 0, len(r.members)*len(r.parts))
	for m, i := range r.members {
		score, from := Score{Total: r.total[m]}, len(parts)
		for k, p := range r.parts {
			switch {
			case r.missing[k] != nil && r.missing[k][m]:
				score.Unknown = true
			case p.Type != AvoidTainted || r.values[k][m] != 0:
				parts = append(parts, ScorePart{Name: p.label(p.index), Value: r.values[k][m], Weight: p.Weight})
			}
		}
		score.Parts = parts[from:len(parts):len(parts)]
		scores[s.clusters[i].Name] = score
	}
	return scores
}

// String prints the total and what it is made of, as in "300: Steady 100, Balance 100 × 2".
func (s Score) String() string {
	if s.Unknown {
		return "unknown"
	}
	if len(s.Parts) == 0 {
		return strconv.FormatInt(s.Total, 10)
	}
	parts := make([]string, 0, len(s.Parts))
	for _, p := range s.Parts {
		text := fmt.Sprintf("%s %d", p.Name, p.Value)
		if p.Weight != 1 {
			text += fmt.Sprintf(" × %d", p.Weight)
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("%d: %s", s.Total, strings.Join(parts, ", "))
}
