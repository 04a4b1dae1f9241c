package deploy

import (
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// everyCluster is the wave of a set that goes to all its clusters at once.
const everyCluster = "all"

// report tells how the work on one set gets on. A nil report tells nobody.
type report struct {
	log *progress.Log
	set string
}

// TellProgress has the runner tell how applies get on. It is to be called before the first of them.
func (r *Runner) TellProgress(log *progress.Log) { r.progress = log }

// begin tells of the start of work on the clusters of some waves.
func (r *Runner) begin(set Set, verb string, ranks []rollout.Rank) *report {
	if r.progress == nil || len(ranks) == 0 {
		return nil
	}
	p := &report{log: r.progress, set: set.Name}
	waves := make([]progress.Wave, 0, len(ranks))
	for _, rank := range ranks {
		waves = append(waves, progress.Wave{Name: rank.Name, Clusters: rank.Clusters})
	}
	p.log.Add(progress.Event{Kind: progress.Begin, Set: p.set, Verb: verb, Waves: waves})
	return p
}

// note tells why the rollout is where it is.
func (p *report) note(reasons []string) {
	if p != nil {
		p.log.Add(progress.Event{Kind: progress.Note, Set: p.set, Message: strings.Join(reasons, "; ")})
	}
}

// back tells that a cluster is returned to what it ran, and returned what came of that.
func (p *report) back(cluster string) { p.step(cluster, progress.RollingBack, 0, 0, "") }

func (p *report) returned(cluster string, after ClusterState, found Problems) {
	if errs := found.Errors(); len(errs) > 0 {
		p.step(cluster, progress.Failed, 0, 0, "not rolled back: "+errs[0].brief())
		return
	}
	p.step(cluster, progress.RolledBack, len(after.Objects), len(after.Objects), "")
}

// step tells what a cluster is at, and how many of its objects are as they should be.
func (p *report) step(cluster string, phase progress.Phase, done, total int, message string) {
	if p != nil {
		p.log.Add(progress.Event{Kind: progress.Step, Set: p.set, Cluster: cluster, Phase: phase, Done: done, Total: total, Message: message})
	}
}

// applied tells what came of an apply on a cluster.
func (p *report) applied(cluster string, plan ClusterPlan, after ClusterState, found Problems) {
	errs := found.Errors()
	switch {
	case len(errs) > 0:
		p.step(cluster, progress.Failed, 0, 0, errs[0].brief())
	case plan.Held && !plan.Changes():
		p.step(cluster, progress.Held, len(after.Objects), len(after.Objects), "")
	case plan.Deferred != "":
		p.step(cluster, progress.Deferred, 0, 0, plan.Deferred)
	case after.Status.Phase == PhaseDeferred:
		p.step(cluster, progress.Deferred, 0, 0, after.Status.Message)
	default:
		p.step(cluster, progress.Done, len(after.Objects), len(after.Objects), "")
	}
}

// end tells how it all ended.
func (p *report) end(found Problems) {
	if p == nil {
		return
	}
	message := ""
	if failed := found.Errors().Clusters(); len(failed) > 0 {
		message = "failed on " + strings.Join(failed, ", ")
	}
	p.log.Add(progress.Event{Kind: progress.End, Set: p.set, Message: message})
}

// reportBegun tells that the cluster is about to be written to, and returns how many of all objects need no apply.
func (s *site) reportBegun(all, due int, leaving bool) int {
	message := ""
	if leaving {
		message = "removing"
	}
	done := all - due
	s.set.report.step(s.name, progress.Applying, done, all, message)
	return done
}

// reportStage tells that a stage is through, if there was anything to do in it, and returns how many of all objects are done now.
func (s *site) reportStage(applied, all, done int) int {
	done += applied
	if applied > 0 {
		s.set.report.step(s.name, progress.Applying, done, all, "")
	}
	return done
}
