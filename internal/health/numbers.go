package health

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// numbers tells how far a workload is, such as "2 of 5 replicas ready"; empty for other kinds, and where nothing
// is known yet.
func numbers(obj *unstructured.Unstructured) string {
	switch obj.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "ReplicaSet.apps":
		return replicas(obj)
	case "DaemonSet.apps":
		want := number(obj, -1, "status", "desiredNumberScheduled")
		if want < 0 {
			return ""
		}
		return tally(number(obj, 0, "status", "numberReady"), want, "pod", "ready",
			of{number(obj, want, "status", "updatedNumberScheduled"), "updated"},
			of{number(obj, want, "status", "numberAvailable"), "available"})
	case "Job.batch":
		return job(obj)
	}
	return ""
}

func replicas(obj *unstructured.Unstructured) string {
	want := number(obj, 1, "spec", "replicas")
	var parts []of
	if obj.GetKind() != "ReplicaSet" {
		parts = append(parts, of{number(obj, 0, "status", "updatedReplicas"), "updated"})
	}
	if obj.GetKind() == "Deployment" {
		parts = append(parts, of{number(obj, 0, "status", "availableReplicas"), "available"})
	}
	text := tally(number(obj, 0, "status", "readyReplicas"), want, "replica", "ready", parts...)
	if extra := number(obj, 0, "status", "replicas") - want; extra > 0 {
		text += fmt.Sprintf(", %d more to be terminated", extra)
	}
	return text
}

func job(obj *unstructured.Unstructured) string {
	want := number(obj, 1, "spec", "completions")
	text := fmt.Sprintf("%d of %s", number(obj, 0, "status", "succeeded"), fleet.Plural(want, "completion"))
	if active := number(obj, 0, "status", "active"); active > 0 {
		text += fmt.Sprintf(", %d active", active)
	}
	if failed := number(obj, 0, "status", "failed"); failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return text
}

// of is a count of the same things, in another respect.
type of struct {
	count int64
	what  string
}

// tally prints "2 of 5 replicas ready", and of the others what is missing.
func tally(count, want int64, noun, what string, others ...of) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s %s", count, fleet.Plural(want, noun), what)
	for _, o := range others {
		// What is not even ready is not available either, and need not be said.
		if o.count < want && o.count != count {
			fmt.Fprintf(&b, ", %d %s", o.count, o.what)
		}
	}
	return b.String()
}

func number(obj *unstructured.Unstructured, missing int64, path ...string) int64 {
	n, found, err := unstructured.NestedInt64(obj.Object, path...)
	if err != nil || !found {
		return missing
	}
	return n
}
