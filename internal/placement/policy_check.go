package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// The bounds of a prioritizer's weight are Open Cluster Management's.
const (
	leastPriority = -10
	mostPriority  = 10
	mostWeight    = 1 << 40
)

// Check lists what is wrong with a policy whatever the clusters are, in the order of its arguments.
func (p *Policy) Check() []Problem {
	c := checker{}
	c.apis(p.RequiredAPIs)
	c.tolerations(p.Tolerations)
	c.number(p)
	c.spread(p)
	c.prioritizers(p.Prioritizers)
	c.affinities(p)
	c.groups(p.Groups)
	c.weights(p.Weights)
	return c.problems
}

// checker collects problems.
type checker struct {
	problems []Problem
}

func (c *checker) add(argument string, index int, field, format string, args ...any) {
	c.problems = append(c.problems, Problem{Argument: argument, Index: index, Field: field, Detail: fmt.Sprintf(format, args...)})
}

// once refuses a name that stood in an earlier item, or none at all.
func (c *checker) once(seen map[string]int, argument string, index int, field, name string) {
	if earlier, found := seen[name]; found {
		c.add(argument, index, field, "%q stands in item %d already", name, earlier)
	} else if name == "" {
		c.add(argument, index, field, "the %s is empty", field)
	}
	seen[name] = index
}

func (c *checker) apis(apis []string) {
	for i, api := range apis {
		parts := strings.Split(api, "/")
		if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
			c.add("required_apis", i, "", "%q is no API; write group/version/Kind, as in apps/v1/Deployment, or v1/ConfigMap in the core group", api)
		}
	}
}

func (c *checker) tolerations(tolerations []Toleration) {
	effects := []string{string(fleet.NoSelect), string(fleet.PreferNoSelect), string(fleet.NoSelectIfNew)}
	operators := []string{string(TolerationEqual), string(TolerationExists)}
	for i, t := range tolerations {
		exists := t.Operator == TolerationExists
		switch {
		case t.Operator != "" && !slices.Contains(operators, string(t.Operator)):
			c.add("tolerations", i, "operator", "there is no operator %q; want Equal or Exists%s", t.Operator, fleet.DidYouMean(string(t.Operator), operators))
		case t.Key == "" && !exists:
			c.add("tolerations", i, "key", "the key is empty, which means all taints and needs operator = \"Exists\"")
		case exists && t.Value != "":
			c.add("tolerations", i, "value", "operator Exists looks at the key only and takes no value")
		}
		if t.Effect != "" && !slices.Contains(effects, t.Effect) {
			c.add("tolerations", i, "effect", "there is no effect %q; want one of %s%s", t.Effect, strings.Join(effects, ", "), fleet.DidYouMean(t.Effect, effects))
		}
		if t.Seconds != nil && *t.Seconds < 0 {
			c.add("tolerations", i, "toleration_seconds", "%d is negative", *t.Seconds)
		}
	}
}

func (c *checker) number(p *Policy) {
	if p.NumberOfClusters != nil && *p.NumberOfClusters < 0 {
		c.add("number_of_clusters", -1, "", "%d is negative", *p.NumberOfClusters)
	}
}

func (c *checker) spread(p *Policy) {
	seen := map[string]int{}
	for i, s := range p.Spread {
		positive := func(field string, n *int64) {
			if n != nil && *n < 1 {
				c.add("spread", i, field, "%d is too small; want at least 1", *n)
			}
		}
		if earlier, found := seen[s.String()]; found {
			c.add("spread", i, "topology_key", "item %d spreads over %s already; put both into one item", earlier, s)
		}
		seen[s.String()] = i
		switch {
		case s.kind() != TopologyLabel && s.kind() != TopologyProperty:
			c.add("spread", i, "topology_type", "there is no topology type %q; want label or property", s.Type)
		case s.Key == "":
			c.add("spread", i, "topology_key", "the key is empty")
		case s.kind() == TopologyLabel && len(content.IsLabelKey(s.Key)) > 0:
			c.add("spread", i, "topology_key", "%q cannot be a label's key: %s", s.Key, content.IsLabelKey(s.Key)[0])
		}
		if s.WhenUnsatisfiable != "" && s.WhenUnsatisfiable != DoNotSchedule && s.WhenUnsatisfiable != ScheduleAnyway {
			c.add("spread", i, "when_unsatisfiable", "there is no %q; want DoNotSchedule or ScheduleAnyway", s.WhenUnsatisfiable)
		}
		positive("max_skew", s.MaxSkew)
		positive("min_groups", s.MinGroups)
		positive("max_groups", s.MaxGroups)
		switch n := p.NumberOfClusters; {
		case s.MaxSkew == nil && s.MinGroups == nil && s.MaxGroups == nil:
			c.add("spread", i, "", "it constrains nothing; give max_skew, min_groups or max_groups")
		case s.MinGroups != nil && s.MaxGroups != nil && *s.MinGroups > *s.MaxGroups:
			c.add("spread", i, "min_groups", "at least %d groups and at most %d contradict each other", *s.MinGroups, *s.MaxGroups)
		case s.MinGroups != nil && n != nil && *s.MinGroups > *n && *n >= 0:
			c.add("spread", i, "min_groups", "%d groups need as many clusters, and number_of_clusters is %d", *s.MinGroups, *n)
		}
	}
}

func (c *checker) prioritizers(prioritizers []Prioritizer) {
	known := []string{
		string(Steady), string(Balance), string(AvoidTainted), string(AllocatableCPU), string(AllocatableMemory),
		string(PropertyScore), string(ExpressionScore),
	}
	seen := map[string]int{}
	for i, p := range prioritizers {
		if !slices.Contains(known, string(p.Type)) {
			c.add("prioritizers", i, "type", "there is no prioritizer %q; want one of %s%s",
				p.Type, strings.Join(known, ", "), fleet.DidYouMean(string(p.Type), known))
			continue
		}
		if p.Weight < leastPriority || p.Weight > mostPriority {
			c.add("prioritizers", i, "weight", "%d is out of range; want %d to %d", p.Weight, leastPriority, mostPriority)
		}
		switch {
		case p.Type == PropertyScore && p.Property == "":
			c.add("prioritizers", i, "property", "a prioritizer of type Property ranks by a property; name it")
		case p.Type != PropertyScore && p.Property != "":
			c.add("prioritizers", i, "property", "only a prioritizer of type Property takes a property")
		case p.Type == ExpressionScore && p.Expression == nil:
			c.add("prioritizers", i, "cel", "a prioritizer of type CEL ranks by an expression; give one")
		case p.Type != ExpressionScore && p.Expression != nil:
			c.add("prioritizers", i, "cel", "only a prioritizer of type CEL takes an expression")
		}
		if label := p.label(i); seen[label] > 0 {
			c.add("prioritizers", i, "type", "item %d is %s, too; weights of one prioritizer do not add up", seen[label]-1, label)
		} else {
			seen[label] = i + 1
		}
	}
	if len(prioritizers) > 0 && len(effective(prioritizers, true)) == 0 {
		c.add("prioritizers", -1, "", "all weights are 0, so that nothing is left to rank clusters by")
	}
}

func (c *checker) affinities(p *Policy) {
	seen := map[string]int{}
	for i, a := range p.Affinities {
		c.once(seen, "affinities", i, "name", a.Name)
	}
	switch {
	case p.Failover != "" && p.Failover != FailoverManual && p.Failover != FailoverAutomatic:
		c.add("failover", -1, "", "there is no failover %q; want manual or automatic", p.Failover)
	case p.Failover == FailoverAutomatic && len(p.Affinities) == 0:
		c.add("failover", -1, "", "automatic failover needs affinities to fail over to; without them a cluster that does not answer keeps what it has")
	}
	if p.Failback && len(p.Affinities) == 0 {
		c.add("failback", -1, "", "there are no affinities to fail back to")
	}
}

func (c *checker) groups(groups []Group) {
	seen := map[string]int{}
	for i, g := range groups {
		c.once(seen, "groups", i, "name", g.Name)
		if g.Name == RestGroup && (i < len(groups)-1 || g.Selector != nil || g.Size != Size{}) {
			c.add("groups", i, "name", "%q is the group of the clusters that no other takes; name this one otherwise, or put it last without selector and size", RestGroup)
		}
	}
}

func (c *checker) weights(w *Weights) {
	if w == nil {
		return
	}
	sources := []string{string(WeightEqual), string(WeightCPU), string(WeightMemory), string(WeightStatic)}
	if !slices.Contains(sources, string(w.Source)) {
		c.add("weights", -1, "by", "there is no %q; want one of %s%s", w.Source, strings.Join(sources, ", "), fleet.DidYouMean(string(w.Source), sources))
		return
	}
	if w.Source == WeightStatic && len(w.Static) == 0 {
		c.add("weights", -1, "static", "static weights need at least one rule")
	}
	if w.Source != WeightStatic && len(w.Static) > 0 {
		c.add("weights", -1, "static", "the rules count only where by is \"static\", and it is %q", w.Source)
	}
	c.bounds("weights", -1, w.Min, w.Max)
	positive := len(w.Static) == 0
	for i, s := range w.Static {
		positive = positive || s.Weight != 0
		c.bounds("weights.static", i, cmp.Or(s.Min, w.Min), cmp.Or(s.Max, w.Max))
		switch {
		case s.Weight < 0:
			c.add("weights.static", i, "weight", "%d is negative", s.Weight)
		case s.Weight > mostWeight:
			c.add("weights.static", i, "weight", "%d is too large; want at most %d", s.Weight, int64(mostWeight))
		}
	}
	if !positive {
		c.add("weights", -1, "static", "all weights are 0, so that no cluster would get anything")
	}
}

// bounds checks how many replicas a cluster may get.
func (c *checker) bounds(argument string, index int, least, most *int64) {
	switch {
	case least != nil && *least < 0:
		c.add(argument, index, "min_replicas", "%d is negative", *least)
	case most != nil && *most < 0:
		c.add(argument, index, "max_replicas", "%d is negative", *most)
	case least != nil && most != nil && *least > *most:
		c.add(argument, index, "min_replicas", "at least %d replicas and at most %d contradict each other", *least, *most)
	}
}

// label names a prioritizer in scores and messages. index is its place in the policy.
func (p Prioritizer) label(index int) string {
	switch p.Type {
	case PropertyScore:
		return "Property/" + cmp.Or(p.Property, "?")
	case ExpressionScore:
		return fmt.Sprintf("CEL/%d", index+1)
	}
	return string(p.Type)
}
