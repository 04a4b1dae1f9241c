package placement

import (
	"cmp"
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"
)

// weigh gives the chosen clusters their share of replicas. A cluster whose share depends on something unknown is left out.
func (s *scheduling) weigh(chosen []int) (map[string]Share, []Problem, EvaluationErrors) {
	w := s.policy.Weights
	if w == nil {
		return nil, nil, nil
	}
	shares := make(map[string]Share, len(chosen))
	var problems []Problem
	var failed EvaluationErrors
	positive := len(chosen) == 0
	for _, i := range chosen {
		rule, known := StaticWeight{Weight: 1}, true
		switch w.Source {
		case WeightStatic:
			var err *EvaluationError
			if rule, known, err = s.staticWeight(i); err != nil {
				failed = append(failed, err)
			}
		case WeightCPU, WeightMemory:
			var detail string
			if rule.Weight, known, detail = s.capacity(i); detail != "" {
				problems = append(problems, Problem{Argument: "weights", Index: -1, Field: "by", Detail: detail})
			}
		case WeightEqual:
		}
		if known {
			name := s.clusters[i].Name
			share := Share{Cluster: name, Weight: rule.Weight, Max: cmp.Or(rule.Max, w.Max)}
			if least := cmp.Or(rule.Min, w.Min); least != nil {
				share.Min = *least
			}
			shares[name] = share
		}
		positive = positive || rule.Weight > 0 || !known
	}
	if !positive && len(problems) == 0 && len(failed) == 0 {
		problems = append(problems, Problem{Argument: "weights", Index: -1, Field: "static",
			Detail: "no rule gives one of the chosen clusters a weight, so that none would get anything; a last rule without selector matches all"})
	}
	return shares, problems, failed
}

// staticWeight is that of the first rule that matches.
func (s *scheduling) staticWeight(i int) (rule StaticWeight, known bool, failed *EvaluationError) {
	for index, rule := range s.policy.Weights.Static {
		verdict, err := s.judge(rule.Selector, i, "weights.static", index)
		if err != nil {
			return StaticWeight{}, true, err
		}
		switch verdict.Outcome {
		case Matches:
			return rule, true, nil
		case Undecided:
			return StaticWeight{}, false, nil
		case Fails:
		}
	}
	return StaticWeight{}, true, nil
}

// capacity is the allocatable CPUs or GiB of a cluster, as a whole number.
func (s *scheduling) capacity(i int) (weight int64, known bool, problem string) {
	c, name, unit := &s.clusters[i], "cpu", 1.0
	if s.policy.Weights.Source == WeightMemory {
		name, unit = "memory", 1<<30
	}
	if s.unknown[i].Entry("facts", "allocatable") {
		return 0, false, ""
	}
	text, set := c.Facts.Allocatable[name]
	if !set {
		return 0, true, fmt.Sprintf(`the allocatable %s of cluster %s is not known; its fleet_cluster has to discover = ["capacity"]`, name, c.Name)
	}
	quantity, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, true, fmt.Sprintf("the allocatable %s of cluster %s is %q, which is no quantity", name, c.Name, text)
	}
	return max(1, min(mostWeight, int64(math.Round(min(quantity.AsApproximateFloat64()/unit, mostWeight))))), true, ""
}
