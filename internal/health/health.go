package health

import (
	"fmt"
	"strings"

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

// At is what an object was when it was applied.
type At struct {
	// UID is the object's UID. An object with another is not the one that was applied; empty is any.
	UID string
	// Generation is the least one whose status counts; 0 is any.
	Generation int64
}

// Evaluate judges the object by its own status. An object that is being deleted is in progress.
func Evaluate(obj *unstructured.Unstructured) (Health, error) { return (*Checks)(nil).Evaluate(obj) }

// Evaluate judges the object by the check of its kind, or by its own status where there is none.
func (c *Checks) Evaluate(obj *unstructured.Unstructured) (Health, error) {
	if obj.GetDeletionTimestamp() != nil {
		return Health{State: InProgress, Message: "it is being deleted"}, nil
	}
	if check := c.of(obj); check != nil {
		return check.evaluate(obj)
	}
	return compute(obj)
}

// EvaluateAt is Evaluate, but a status counts only if it speaks of what was applied.
func (c *Checks) EvaluateAt(obj *unstructured.Unstructured, at At) (Health, error) {
	if uid := string(obj.GetUID()); at.UID != "" && uid != at.UID {
		return Health{State: InProgress, Message: fmt.Sprintf("it is another object now: the one that was applied had uid %s, this one has %s", at.UID, uid)}, nil
	}
	if h, stale := behind(obj, at.Generation); stale {
		return h, nil
	}
	return c.Evaluate(obj)
}

// behind tells whether the object, or its status, is older than the generation.
func behind(obj *unstructured.Unstructured, generation int64) (Health, bool) {
	if is := obj.GetGeneration(); is != 0 && is < generation {
		return Health{State: InProgress, Message: fmt.Sprintf("generation %d was read, %d was applied", is, generation)}, true
	}
	observed, found, err := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if want := max(generation, obj.GetGeneration()); err == nil && found && observed < want {
		return Health{State: InProgress, Message: fmt.Sprintf("its controller has seen generation %d, it is at %d", observed, want)}, true
	}
	return Health{}, false
}

// compute judges by the rules of kstatus, and tells numbers where there are some.
func compute(obj *unstructured.Unstructured) (Health, error) {
	h, err := byStatus(obj)
	if counted := numbers(obj); counted != "" && err == nil {
		switch _, stale := behind(obj, 0); {
		case stale:
		case h.State == Failed && obj.GetKind() != "Job":
			// Why it was given up on is not in the numbers.
			h.Message = counted + ", " + strings.ToLower(h.Message)
		default:
			h.Message = counted
		}
	}
	return h, err
}

func byStatus(obj *unstructured.Unstructured) (Health, error) {
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
