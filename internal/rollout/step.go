package rollout

import "time"

// Verdict says whether the rollout goes on, and how it ended where it does not.
type Verdict string

// The verdicts.
const (
	// Running goes on: carry the step out and ask again.
	Running Verdict = "running"
	// Complete got as far as it was to go; single clusters may have failed all the same.
	Complete Verdict = "complete"
	// Halted stopped because a wave failed.
	Halted Verdict = "halted"
	// Restored stopped because a wave failed, and what was touched is back at its previous revision, as far as it could be.
	Restored Verdict = "rolled back"
	// Stopped was interrupted.
	Stopped Verdict = "interrupted"
)

// Step is what to do next. Names are sorted. Expire is to be carried out also where the verdict ends the rollout.
type Step struct {
	Verdict Verdict
	// Wave is the wave that the rollout is at; where it ended early, the one that failed.
	Wave string
	// Start are the clusters to apply the revision to now, or to remove the set from where they are leaving.
	Start []string
	// Watch are the clusters in flight, to wait for.
	Watch []string
	// Expire are the clusters whose time is up: stop waiting for them, and note them as failed.
	Expire []string
	// RollBack are the clusters to return to their previous revision now.
	RollBack []string
	// Hold are the clusters behind Through that keep what they run.
	Hold []string
	// Recheck is when to ask again at the latest, even if nothing happened; 0 means that only an event changes anything.
	Recheck time.Duration
	// Reasons say in sentences why the step is what it is.
	Reasons []string
	// Waves are all waves in order, with how many of their clusters are where.
	Waves []WaveStatus
}

// Phase is how far a wave is.
type Phase string

// The phases of a wave.
const (
	// PhaseWaiting is not reached yet.
	PhaseWaiting Phase = "waiting"
	// PhaseRunning is under way.
	PhaseRunning Phase = "running"
	// PhaseSoaking is healthy and watched for a while.
	PhaseSoaking Phase = "soaking"
	// PhaseDone is over.
	PhaseDone Phase = "done"
	// PhaseFailed has failed.
	PhaseFailed Phase = "failed"
	// PhaseHeld is behind Through.
	PhaseHeld Phase = "held"
	// PhaseEmpty has nobody that takes part.
	PhaseEmpty Phase = "empty"
)

// WaveStatus counts the clusters of a wave.
type WaveStatus struct {
	Name  string
	Phase Phase
	// Slots is how many may be in flight.
	Slots int
	// Total are those that take part, and the sum of the five below; Deferred are not among them.
	Total    int
	Waiting  int
	InFlight int
	Healthy  int
	Failed   int
	// Returned are back at their previous revision, or stuck on the way there.
	Returned int
	Deferred int
}
