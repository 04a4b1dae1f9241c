package deploy

import "fmt"

// Summary is a plan in numbers. Like Sentences, it rests on nothing but prior state and wanted objects.
type Summary struct {
	// Create, Update, Delete, Replace and Adopt count objects, the same object on two clusters being two.
	Create, Update, Delete, Replace, Adopt int64
	// Clusters counts clusters on which anything changes.
	Clusters int64
}

// Summary counts what the plan does.
func (p Plan) Summary() Summary {
	var sum Summary
	for _, c := range p.Clusters {
		if !c.Changes() {
			continue
		}
		if !c.Gone {
			sum.Clusters++
		}
		if c.Objects == nil {
			sum.Create += int64(c.New)
			continue
		}
		for _, o := range c.Objects {
			switch o.Action {
			case ActionCreate:
				sum.Create++
			case ActionUpdate, ActionCorrect:
				sum.Update++
			case ActionDelete:
				sum.Delete++
			case ActionReplace:
				sum.Replace++
			case ActionAdopt:
				sum.Adopt++
			case ActionNone, ActionRelease, ActionForget:
			}
		}
	}
	return sum
}

// Exceeded says which limits the plan would exceed.
func (l Limits) Exceeded(sum Summary) []string {
	var exceeded []string
	if n := sum.Delete + sum.Replace; l.Deletions != nil && n > *l.Deletions {
		exceeded = append(exceeded, fmt.Sprintf("it would delete %s, and limits.deletions is %d", objectCount(int(n)), *l.Deletions))
	}
	if l.Clusters != nil && sum.Clusters > *l.Clusters {
		exceeded = append(exceeded, fmt.Sprintf("it would change %d clusters, and limits.clusters is %d", sum.Clusters, *l.Clusters))
	}
	return exceeded
}
