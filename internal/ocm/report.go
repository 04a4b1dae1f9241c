package ocm

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Report is what an agent says of one object.
type Report struct {
	// Applied tells that the agent has applied the object as the work has it now, and Rejected why it could not; where both say nothing, it has
	// not come to it yet.
	Applied  bool
	Rejected string
	// Looked tells that the agent has looked for the object since the work is as it is, and Exists whether it was there.
	Looked, Exists bool
	// Fresh tells that the reported values are of the object as the work has it now.
	Fresh  bool
	values []workv1.FeedbackValue
	// Resource is the plural name of its kind, as the site knows it; empty where that is not told.
	Resource string
}

// ReportOf reads what the agent says of an object of a work.
func ReportOf(work *workv1.ManifestWork, item Item) Report {
	var r Report
	m := entry(work, item.Key)
	if m == nil {
		return r
	}
	r.Resource = m.ResourceMeta.Resource
	if c := meta.FindStatusCondition(m.Conditions, workv1.ManifestApplied); c != nil && c.ObservedGeneration == work.Generation {
		if r.Applied = c.Status == metav1.ConditionTrue; !r.Applied {
			r.Rejected = strings.TrimPrefix(c.Message, "Failed to apply manifest: ")
		}
	}
	if c := meta.FindStatusCondition(work.Status.Conditions, workv1.WorkAvailable); c != nil && c.ObservedGeneration == work.Generation {
		if one := meta.FindStatusCondition(m.Conditions, workv1.ManifestAvailable); one != nil {
			// Unknown is what an agent says that could not read it.
			r.Looked, r.Exists = one.Status != metav1.ConditionUnknown, one.Status == metav1.ConditionTrue
		}
	}
	r.values = m.StatusFeedbacks.Values
	r.Fresh = r.Applied && (len(item.Config.FeedbackRules) == 0 || sentOf(r.values) == item.Object.GetAnnotations()[SentAnnotation])
	return r
}

// Settled tells that the agent has said of every manifest of the work, as it is now, whether it is applied.
func Settled(work *workv1.ManifestWork) bool {
	c := meta.FindStatusCondition(work.Status.Conditions, workv1.WorkApplied)
	return c != nil && c.ObservedGeneration == work.Generation && len(work.Status.ResourceStatus.Manifests) >= len(work.Spec.Workload.Manifests)
}

// Observed is the object as the agent reports it: what the work has, with the values that were reported. What the agent has not come to
// yet, or could not do, is said by conditions, as a controller of the object would.
func (r Report) Observed(item Item) *unstructured.Unstructured {
	obj := item.Object.DeepCopy()
	obj.SetManagedFields(nil)
	delete(obj.Object, "status")
	switch {
	case r.Rejected != "":
		setCondition(obj, "Stalled", r.Rejected)
	case !r.Fresh:
		setCondition(obj, "Reconciling", "the agent has not reported on it yet")
	default:
		restore(obj.Object, r.values)
	}
	return obj
}

// setCondition sets the one condition of an object that no status is known of.
func setCondition(obj *unstructured.Unstructured, condition, message string) {
	_ = unstructured.SetNestedSlice(obj.Object, []any{
		map[string]any{"type": condition, "status": "True", "reason": "Agent", "message": message},
	}, "status", "conditions")
}

func entry(work *workv1.ManifestWork, key fleet.ObjectKey) *workv1.ManifestCondition {
	for i := range work.Status.ResourceStatus.Manifests {
		m := &work.Status.ResourceStatus.Manifests[i]
		if at := m.ResourceMeta; at.Group == key.Group && at.Kind == key.Kind && at.Namespace == key.Namespace && at.Name == key.Name {
			return m
		}
	}
	return nil
}

func resourceAt(work *workv1.ManifestWork, key fleet.ObjectKey) string {
	if m := entry(work, key); m != nil {
		return m.ResourceMeta.Resource
	}
	return ""
}
