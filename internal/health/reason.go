package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Listing is a LIST that helps to find out why an object is not healthy.
type Listing struct {
	Kind      schema.GroupVersionKind
	Namespace string
	// LabelSelector and FieldSelector are in the form that the API server takes; empty is everything.
	LabelSelector string
	FieldSelector string
}

var (
	podKind   = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	eventKind = schema.GroupVersionKind{Version: "v1", Kind: "Event"}
)

// Related tells what to list around an object that is not healthy, for Reason: the pods of a workload, and the warnings
// about the object itself.
func Related(obj *unstructured.Unstructured) []Listing {
	var lists []Listing
	if obj.GetNamespace() != "" {
		if selector := podSelector(obj); selector != "" {
			lists = append(lists, Listing{Kind: podKind, Namespace: obj.GetNamespace(), LabelSelector: selector})
		}
	}
	if obj.GetUID() != "" {
		lists = append(lists, warningsOf(obj.GetNamespace(), obj.GetUID()))
	}
	return lists
}

// podSelector selects the pods of a workload; empty where the object has none.
func podSelector(obj *unstructured.Unstructured) string {
	switch obj.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch":
	case "ReplicationController":
		labels, _, err := unstructured.NestedStringMap(obj.Object, "spec", "selector")
		if err != nil {
			return ""
		}
		return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels})
	default:
		return ""
	}
	content, found, err := unstructured.NestedMap(obj.Object, "spec", "selector")
	if err != nil || !found {
		return ""
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector); err != nil {
		return ""
	}
	parsed, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil || parsed.Empty() {
		return ""
	}
	return parsed.String()
}

func warningsOf(namespace string, uid types.UID) Listing {
	return Listing{Kind: eventKind, Namespace: cmp.Or(namespace, metav1.NamespaceDefault), FieldSelector: fields.AndSelectors(
		fields.OneTermEqualSelector("involvedObject.uid", string(uid)), fields.OneTermEqualSelector("type", corev1.EventTypeWarning)).String()}
}

// Reason tells in one line why the object is not healthy, such as "pod web-6d4-x2k: ImagePullBackOff (nginx:1.99 not
// found)", from what was found around it; empty where nothing found tells. What it asks for beyond that may tell more:
// list it, add it to what was found, and call again.
func Reason(obj *unstructured.Unstructured, found []unstructured.Unstructured) (reason string, ask []Listing) {
	around := sortOut(obj, found)
	var parts []string
	if own := ownReason(obj, around); own != "" {
		parts = append(parts, own)
	}
	suspects := around.suspects()
	if len(suspects) > 0 {
		worst := suspects[0]
		parts = append(parts, worst.text(suspects))
		if worst.inconclusive && len(around.warnings[worst.pod.UID]) == 0 {
			ask = append(ask, warningsOf(worst.pod.Namespace, worst.pod.UID))
		}
	}
	return strings.Join(parts, "; "), ask
}

// surroundings are the pods of an object, and warnings by the uid of what they are about.
type surroundings struct {
	pods     []corev1.Pod
	warnings map[types.UID][]corev1.Event
}

func sortOut(obj *unstructured.Unstructured, found []unstructured.Unstructured) surroundings {
	out := surroundings{warnings: map[types.UID][]corev1.Event{}}
	for _, f := range found {
		switch f.GroupVersionKind().GroupKind() {
		case podKind.GroupKind():
			var pod corev1.Pod
			if runtime.DefaultUnstructuredConverter.FromUnstructured(f.Object, &pod) == nil && ownsPod(obj, &pod) {
				out.pods = append(out.pods, pod)
			}
		case eventKind.GroupKind(), schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}:
			var event corev1.Event
			if runtime.DefaultUnstructuredConverter.FromUnstructured(f.Object, &event) == nil && event.Type == corev1.EventTypeWarning {
				out.warnings[event.InvolvedObject.UID] = append(out.warnings[event.InvolvedObject.UID], event)
			}
		}
	}
	for _, events := range out.warnings {
		slices.SortFunc(events, func(a, b corev1.Event) int {
			return cmp.Or(lastSeen(b).Compare(lastSeen(a).Time), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
		})
	}
	return out
}

// lastSeen is when the event last happened; which field tells depends on who reported it.
func lastSeen(e corev1.Event) metav1.Time {
	last := e.LastTimestamp
	if e.Series != nil && e.Series.LastObservedTime.After(last.Time) {
		last = metav1.Time{Time: e.Series.LastObservedTime.Time}
	}
	for _, t := range []metav1.Time{e.FirstTimestamp, {Time: e.EventTime.Time}, e.CreationTimestamp} {
		if last.IsZero() {
			last = t
		}
	}
	return last
}

// ownsPod tells whether the pod is the object's, and not one that merely has labels like it. The pods of a Deployment
// belong to its ReplicaSets, which are called after it.
func ownsPod(obj *unstructured.Unstructured, pod *corev1.Pod) bool {
	if obj.GetKind() == "Pod" {
		return pod.UID == obj.GetUID()
	}
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return false
	}
	if owner.UID == obj.GetUID() {
		return true
	}
	return obj.GetKind() == "Deployment" && owner.Kind == "ReplicaSet" && strings.HasPrefix(owner.Name, obj.GetName()+"-")
}

// ownReason is what the object says of itself, or what was reported about it.
func ownReason(obj *unstructured.Unstructured, around surroundings) string {
	told := ""
	switch obj.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "ReplicaSet.apps":
		told = conditionOf(obj, "ReplicaFailure")
	case "Job.batch":
		told = conditionOf(obj, "Failed")
	case "Pod":
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &pod) == nil {
			if s := suspectPod(pod, around.warnings[pod.UID]); s != nil {
				return s.what
			}
		}
	}
	if told != "" {
		return told
	}
	for _, e := range around.warnings[obj.GetUID()] {
		// A failing pod says it better than the complaints about how the workload's backing off.
		if len(around.pods) == 0 || e.Reason == "FailedCreate" {
			return e.Reason + " (" + sentence(e.Message) + ")"
		}
	}
	if obj.GroupVersionKind().GroupKind().String() == "PersistentVolumeClaim" {
		return claimReason(obj)
	}
	return ""
}

// claimReason says what a claim that is not bound waits for, where nobody has complained.
func claimReason(obj *unstructured.Unstructured) string {
	phase, _, err := unstructured.NestedString(obj.Object, "status", "phase")
	if err != nil || phase == "Bound" || phase == "" {
		return ""
	}
	class, found, err := unstructured.NestedString(obj.Object, "spec", "storageClassName")
	switch {
	case err != nil:
		return phase
	case found && class == "":
		return phase + " (it has no storage class: it waits for a volume that somebody creates)"
	case found:
		return fmt.Sprintf("%s (storage class %q; a class that waits for the first consumer binds when a pod uses the claim)", phase, class)
	}
	return phase + " (the cluster has no default storage class)"
}

// conditionOf is what a condition says, where it is true.
func conditionOf(obj *unstructured.Unstructured, kind string) string {
	conditions, _, err := unstructured.NestedSlice(obj.Object, "status", "conditions")
	if err != nil {
		return ""
	}
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if !ok || condition["type"] != kind || condition["status"] != "True" {
			continue
		}
		reason, _ := condition["reason"].(string)
		message, _ := condition["message"].(string)
		if message == "" {
			return reason
		}
		return cmp.Or(reason, kind) + " (" + sentence(message) + ")"
	}
	return ""
}

// longestMessage cuts what others have to say, in characters.
const longestMessage = 300

// sentence is a message on one line, without a full stop.
func sentence(message string) string {
	line := strings.TrimSuffix(strings.Join(strings.Fields(message), " "), ".")
	if runes := []rune(line); len(runes) > longestMessage {
		return string(runes[:longestMessage]) + "…"
	}
	return line
}
