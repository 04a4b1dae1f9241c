package deploy

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// rolling is an apply under way. Its loop alone looks at it and changes it: work on clusters is done elsewhere and comes back as events.
type rolling struct {
	runner   *Runner
	set      Set
	state    State
	plan     Plan
	expected Expected

	strategy rollout.Strategy
	progress rollout.Progress
	out      State
	found    Problems

	events  chan func()
	slots   chan struct{}
	working int
	turns   map[string]*turn
	// back are the clusters to take back once the work on them has ended, and soaking how to end watching those that soak.
	back    map[string]bool
	soaking map[string]context.CancelFunc
	reasons []string
}

// Apply makes the clusters as the set wants them, in the order of its rollout. The state it returns is what was observed to be there,
// whatever failed. Where the rollout stopped early, ended says how; the problems of the clusters are not repeated there.
func (r *Runner) Apply(ctx context.Context, set Set, state State, plan Plan, expected Expected) (after State, found Problems, ended *rollout.Explanation) {
	set, found = set.divided(state)
	l := &rolling{
		runner: r, set: set, state: state, plan: plan, expected: expected, out: State{}, found: found, strategy: rollout.Unstaged(),
		events: make(chan func()), slots: make(chan struct{}, r.maxClusters), turns: map[string]*turn{}, back: map[string]bool{}, soaking: map[string]context.CancelFunc{},
	}
	if set.Rollout != nil {
		l.strategy = *set.Rollout
		l.strategy.ProgressDeadline = cmp.Or(l.strategy.ProgressDeadline, set.Wait.Timeout) + expiryGrace
	}
	l.set.in = l.set.ranks()
	access := map[string]string{}
	for name, c := range plan.Clusters {
		if c.Changes() && !c.Gone {
			access[name] = r.target(set, state, name).Cluster.Access
		}
	}
	r.pool.Probe(ctx, access)
	l.assemble(ctx)
	l.set.report = r.begin(set, "apply", l.ranks())
	l.reportQuiet()
	step := l.run(ctx)
	if text, ok := rollout.Explain(l.progress, step); ok && set.Rollout != nil && step.Verdict != rollout.Complete {
		ended = &text
	}
	l.leaveRest(step)
	if step.Verdict == rollout.Complete {
		l.tend(ctx)
	}
	l.set.report.end(l.found)
	return l.out, l.found, ended
}

// run goes on until the rollout has come to its end, and until all work on clusters has.
func (l *rolling) run(ctx context.Context) rollout.Step {
	interrupted := ctx.Done()
	for {
		step := rollout.Next(l.strategy, l.progress, time.Now())
		for _, name := range step.Expire {
			l.expire(name)
		}
		for _, name := range step.Start {
			l.start(ctx, name)
		}
		for _, name := range step.RollBack {
			l.takeBack(ctx, name)
		}
		l.soak(ctx, step)
		l.tell(step.Reasons)
		if step.Verdict != rollout.Running {
			for l.working > 0 {
				(<-l.events)()
			}
			return step
		}
		var recheck <-chan time.Time
		if step.Recheck > 0 {
			recheck = time.After(step.Recheck)
		}
		select {
		case event := <-l.events:
			event()
			l.drain()
		case <-recheck:
		case <-interrupted:
			l.progress.Interrupted, interrupted = true, nil
		}
	}
}

// drain takes over all that has happened meanwhile, so that a large fleet is not judged anew for every single event.
func (l *rolling) drain() {
	for {
		select {
		case event := <-l.events:
			event()
		default:
			return
		}
	}
}

func (l *rolling) update(name string, change func(*rollout.Cluster)) {
	c := l.progress.Clusters[name]
	change(&c)
	l.progress.Clusters[name] = c
}

// expiryGrace is how long after its deadline a cluster is given up that has not come back by itself, with a reason, at the deadline.
const expiryGrace = 15 * time.Second

// start begins the work on a cluster.
func (l *rolling) start(ctx context.Context, name string) {
	l.update(name, func(c *rollout.Cluster) { c.State, c.Since = rollout.Applying, time.Time{} })
	deadline := l.set.Rollout != nil && l.set.Rollout.ProgressDeadline > 0
	clock := func(c *rollout.Cluster) { c.Started, c.Since = time.Now(), time.Now() }
	working, stop := context.WithCancelCause(ctx)
	settling, release := context.WithCancelCause(context.WithoutCancel(ctx))
	t := &turn{settling: settling, release: release, stop: stop}
	t.began = func(p *inventory.Parent) {
		previous := p.Previous
		l.events <- func() {
			l.update(name, func(c *rollout.Cluster) {
				if c.Revision = l.progress.Revision; l.set.Rollout != nil {
					c.Previous = previous
				}
			})
		}
	}
	t.wrote = func() {
		l.events <- func() {
			l.update(name, func(c *rollout.Cluster) {
				if c.State == rollout.Applying {
					c.State = rollout.Applied
				}
				if !deadline {
					// wait.timeout is for waiting only, however long writing takes.
					clock(c)
				}
			})
		}
	}
	l.turns[name] = t
	l.working++
	set := l.set
	set.turn = t
	go func() {
		l.slots <- struct{}{}
		at := time.Now()
		if deadline {
			// Those that have to wait for a slot of the whole process have not begun.
			l.events <- func() { l.update(name, clock) }
			t.deadline = at.Add(set.Rollout.ProgressDeadline)
		}
		after, keep, found := l.work(working, set, name)
		<-l.slots
		l.runner.log(ctx, slog.LevelDebug, "apply", map[string]any{"set": set.Name, "cluster": name, "duration": time.Since(at).String()})
		l.events <- func() { l.finish(ctx, name, after, keep, found) }
	}()
}

// work applies the set to a cluster or, where it is applied already, waits for its health.
func (l *rolling) work(ctx context.Context, set Set, name string) (ClusterState, bool, Problems) {
	plan := l.plan.Clusters[name]
	if plan.Changes() {
		return l.runner.applyCluster(ctx, set, l.state, name, plan, l.expected[name])
	}
	prior, _, _ := l.runner.applyCluster(ctx, set, l.state, name, plan, nil)
	found := l.runner.await(ctx, set, prior)
	if len(found.Errors()) > 0 {
		prior.Status.Phase, prior.Status.Message = PhaseFailed, found.Errors()[0].brief()
	}
	return prior, true, found
}

// await waits for the health of a cluster on which nothing changes.
func (r *Runner) await(ctx context.Context, set Set, prior ClusterState) Problems {
	name := prior.Cluster.Name
	s, err := r.open(ctx, set.on(prior), prior.Cluster, prior.Applied)
	if err != nil {
		return problems(name, nil, err)
	}
	list, _, found := r.want(ctx, s, s.set, prior, r.salt(set, name))
	if len(found.Errors()) > 0 {
		return found
	}
	return append(found, s.waitReady(set.turn.written(ctx), list)...)
}

// finish takes over what came of the work on a cluster.
func (l *rolling) finish(ctx context.Context, name string, after ClusterState, keep bool, found Problems) {
	l.working--
	l.turns[name].release(nil)
	l.turns[name].stop(nil)
	delete(l.turns, name)
	delete(l.out, name)
	if keep {
		l.out[name] = after
	}
	if l.back[name] {
		delete(l.back, name)
		// What failed because it was taken back did not fail.
		l.found = append(l.found, found.Warnings()...)
		l.rollBack(ctx, name)
		return
	}
	l.found = append(l.found, found...)
	l.set.report.applied(name, l.plan.Clusters[name], after, found)
	errs := found.Errors()
	l.update(name, func(c *rollout.Cluster) {
		switch {
		case len(errs) > 0 && !slices.ContainsFunc(errs, func(p Problem) bool { return !lost(p.Err) }):
			c.State, c.Message = rollout.Deferred, errs[0].brief()
		case len(errs) > 0:
			c.State, c.Message = rollout.Failed, errs.message()
		case after.Status.Phase == PhaseDeferred && keep:
			c.State, c.Message = rollout.Deferred, after.Status.Message
		default:
			c.State, c.Healthy, c.Since = rollout.Applied, true, time.Now()
			if !c.Leaving {
				c.Revision = l.progress.Revision
			}
		}
	})
}

// expire gives up a cluster whose time is up.
func (l *rolling) expire(name string) {
	message := errTooLong.Error()
	if t := l.turns[name]; t != nil {
		t.stop(errTooLong)
	} else {
		message = "it lost its health while its wave soaked: " + l.progress.Clusters[name].Message
		l.lose(name, errors.New(message))
	}
	l.update(name, func(c *rollout.Cluster) { c.State, c.Message = rollout.Failed, message })
}

// lose notes an error of a cluster that had been applied without one.
func (l *rolling) lose(name string, err error) {
	l.found = append(l.found, Problem{Cluster: name, Err: err})
	after := l.out[name]
	after.Status.Phase, after.Status.Message = PhaseFailed, err.Error()
	l.out[name] = after
}

// tend puts right what has drifted on the clusters that keep an earlier revision. It follows the waves, and needs no promotion.
func (l *rolling) tend(ctx context.Context) {
	strategy := l.strategy
	strategy.Through, strategy.OnFailure = "", rollout.Continue
	work := rollout.Progress{Revision: "kept", Clusters: map[string]rollout.Cluster{}}
	for name, c := range l.plan.Clusters {
		if c.Held && c.Changes() {
			work.Clusters[name] = rollout.Cluster{State: rollout.Waiting}
		}
	}
	if len(work.Clusters) == 0 {
		return
	}
	l.strategy, l.progress = strategy, work
	l.run(ctx)
	for name, c := range l.progress.Clusters {
		if c.State == rollout.Waiting {
			l.found = append(l.found, Problem{Cluster: name, Err: errNotBegun})
		}
	}
}

// leaveRest keeps in the state what was not begun. Where that was not the rollout's decision, it is an error.
func (l *rolling) leaveRest(step rollout.Step) {
	for name, c := range l.state {
		if _, planned := l.plan.Clusters[name]; !planned {
			l.out[name] = c
		}
	}
	for name, c := range l.plan.Clusters {
		if !c.Changes() || c.Gone || l.progress.Clusters[name].State != rollout.Waiting {
			continue
		}
		prior, known := l.state[name]
		if _, stays := l.set.Clusters[name]; known {
			if prior = l.runner.target(l.set, l.state, name); !stays {
				prior.Applied.owe(prior.Cluster)
			}
			// The manifests in the state are other ones from now on.
			prior.Status.Revision = c.From
			l.out[name] = prior
		}
		switch {
		case step.Verdict == rollout.Complete && c.Leaving:
			l.found = append(l.found, Problem{Cluster: name, Err: errKeptBack})
		case step.Verdict == rollout.Stopped && l.set.Rollout == nil:
			l.found = append(l.found, Problem{Cluster: name, Err: errNotBegun})
		}
	}
}

var (
	errKeptBack = errors.New("the set stays here for now, because a cluster that is new to it failed, and may be to replace this one; the next apply removes it")
	errNotBegun = errors.New("interrupted before anything was written")
)
