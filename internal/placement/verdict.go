package placement

// Outcome is a selector's answer for one cluster.
type Outcome int

// The outcomes.
const (
	// Undecided means that the answer depends on something that is not known yet.
	Undecided Outcome = iota
	// Matches means that all conditions hold.
	Matches
	// Fails means that a condition does not hold, whatever the unknown parts turn out to be.
	Fails
)

// Verdict is a selector's answer for one cluster, with the reason where it fails.
type Verdict struct {
	Outcome Outcome
	// Reason is a sentence with what was found and what was expected. It is empty for a cluster that fails for
	// sure, but for which an unknown part may turn out to be the reason that is named first.
	Reason string
}

var (
	undecided = Verdict{Outcome: Undecided}
	matches   = Verdict{Outcome: Matches}
)

func fails(reason string) Verdict { return Verdict{Outcome: Fails, Reason: reason} }
