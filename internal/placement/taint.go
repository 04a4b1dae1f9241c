package placement

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Taints that clusters have by what they are, with the effect NoSelectIfNew. Tolerating them lets a placement choose
// such clusters anew.
const (
	// TaintUnreachable is on clusters that do not answer.
	TaintUnreachable = "fleet/unreachable"
	// TaintMaintenance is on clusters in maintenance.
	TaintMaintenance = "fleet/maintenance"
)

// untainted judges by the taints that keep clusters out.
func (s *scheduling) untainted(i int) Verdict {
	c := &s.clusters[i]
	if s.unknown[i].Field("taints") {
		return undecided
	}
	if c.Mode == fleet.ModeMaintenance && !s.before[i] && !s.tolerated(fleet.Taint{Key: TaintMaintenance, Effect: fleet.NoSelectIfNew}) {
		return fails("the cluster is in maintenance, and was not chosen before")
	}
	for _, taint := range c.Taints {
		if taint.Effect == fleet.PreferNoSelect || taint.Effect == fleet.NoSelectIfNew && s.before[i] {
			continue
		}
		ok, ended := s.tolerates(c.Name, taint)
		switch {
		case ok:
		case ended != "":
			return fails(ended)
		case taint.Effect == fleet.NoSelectIfNew:
			return fails(fmt.Sprintf("taint %s is not tolerated, and the cluster was not chosen before", taintText(taint)))
		default:
			return fails(fmt.Sprintf("taint %s is not tolerated", taintText(taint)))
		}
	}
	return matches
}

// avoided tells whether the cluster has a taint that makes others preferred.
func (s *scheduling) avoided(i int) bool {
	for _, taint := range s.clusters[i].Taints {
		if taint.Effect != fleet.PreferNoSelect {
			continue
		}
		if ok, _ := s.tolerates(s.clusters[i].Name, taint); !ok {
			return true
		}
	}
	return false
}

func (s *scheduling) tolerated(taint fleet.Taint) bool {
	ok, _ := s.tolerates("", taint)
	return ok
}

// tolerates tells whether a toleration holds, and if one did until its time was up, says so.
func (s *scheduling) tolerates(cluster string, taint fleet.Taint) (ok bool, ended string) {
	for index, t := range s.policy.Tolerations {
		if !t.concerns(taint) {
			continue
		}
		if t.Seconds == nil {
			return true, ""
		}
		switch until := taint.Added.Add(time.Duration(*t.Seconds) * time.Second); {
		case taint.Added.IsZero():
			if cluster != "" {
				s.timeless[index] = append(s.timeless[index], cluster)
			}
			return true, ""
		case s.in.Now.IsZero():
			s.needNow(index, cluster, taint)
			return true, ""
		case s.in.Now.Before(until):
			return true, ""
		default:
			ended = fmt.Sprintf("taint %s is not tolerated any more: the %d s from when it was added ended at %s",
				taintText(taint), *t.Seconds, until.UTC().Format(time.RFC3339))
		}
	}
	return false, ended
}

func (t Toleration) concerns(taint fleet.Taint) bool {
	return (t.Effect == "" || t.Effect == string(taint.Effect)) && (t.Key == "" || t.Key == taint.Key) &&
		(t.Operator == TolerationExists || t.Value == taint.Value)
}

// timelessWarnings tell of tolerations for a time that does not end.
func (s *scheduling) timelessWarnings() []string {
	found := make([]string, 0, len(s.timeless))
	for _, index := range sortedKeys(s.timeless) {
		clusters := slices.Compact(slices.Sorted(slices.Values(s.timeless[index])))
		found = append(found, fmt.Sprintf("tolerations[%d] has toleration_seconds, but a taint of %s does not say when it was added, so "+
			"that it is tolerated for ever.", index, list(clusters, "%s")))
	}
	return found
}

// needNow notes, once, that a decision depends on the time and does not get it.
func (s *scheduling) needNow(toleration int, cluster string, taint fleet.Taint) {
	if len(s.needsNow) > 0 {
		return
	}
	s.needsNow = []Problem{{Argument: "now", Index: -1, Detail: fmt.Sprintf(
		"the taint %s of cluster %s is tolerated for a time by tolerations[%d], and says when it was added, so that it has to be "+
			"known what time it is; write now = plantimestamp()", taintText(taint), cluster, toleration)}}
}

// taintText prints a taint as kubectl does.
func taintText(t fleet.Taint) string {
	text := t.Key
	if t.Value != "" {
		text += "=" + t.Value
	}
	return text + ":" + string(t.Effect)
}
