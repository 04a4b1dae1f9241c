package health

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// State is how an object, or all objects of a set on a cluster, are doing.
type State string

// The states, from good to bad.
const (
	// Current is as asked for, at the generation that was applied.
	Current State = "Current"
	// InProgress is on its way.
	InProgress State = "InProgress"
	// Failed will not get there by itself.
	Failed State = "Failed"
	// Unknown could not be read, because the cluster did not answer.
	Unknown State = "Unknown"
	// Denied could not be read either: the cluster answered, but refused.
	Denied State = "Denied"
)

// Health is one object's state and what it rests on, with the numbers.
type Health struct {
	State   State
	Message string
}

// Evaluate judges the object by its own status. An object that is being deleted is in progress.
func Evaluate(obj *unstructured.Unstructured) (Health, error) {
	result, err := status.Compute(obj)
	if err != nil {
		return Health{State: Unknown}, fmt.Errorf("health: %w", err)
	}
	switch result.Status {
	case status.CurrentStatus:
		return Health{State: Current, Message: result.Message}, nil
	case status.FailedStatus:
		return Health{State: Failed, Message: result.Message}, nil
	case status.InProgressStatus, status.TerminatingStatus:
		return Health{State: InProgress, Message: result.Message}, nil
	case status.UnknownStatus, status.NotFoundStatus:
	}
	return Health{State: Unknown, Message: result.Message}, nil
}

// Worst is the state of a whole of which both are parts.
func Worst(a, b State) State {
	rank := map[State]int{Current: 0, InProgress: 1, Failed: 2, Unknown: 3, Denied: 4}
	if rank[a] >= rank[b] {
		return a
	}
	return b
}
