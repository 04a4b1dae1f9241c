package ocm

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// TestReportOf_looked has a question that an agent could not answer stay open: what could not be read may be there.
func TestReportOf_looked(t *testing.T) {
	key := fleet.ObjectKey{Kind: "ConfigMap", Namespace: "a", Name: "conf"}
	for status, want := range map[metav1.ConditionStatus]Report{
		metav1.ConditionTrue:    {Looked: true, Exists: true},
		metav1.ConditionFalse:   {Looked: true},
		metav1.ConditionUnknown: {},
	} {
		work := &workv1.ManifestWork{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
		work.Status.Conditions = []metav1.Condition{{Type: workv1.WorkAvailable, Status: status, ObservedGeneration: 2}}
		work.Status.ResourceStatus.Manifests = []workv1.ManifestCondition{{
			ResourceMeta: workv1.ManifestResourceMeta{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name},
			Conditions:   []metav1.Condition{{Type: workv1.ManifestAvailable, Status: status}},
		}}
		if got := ReportOf(work, Item{Key: key}); got.Looked != want.Looked || got.Exists != want.Exists {
			t.Errorf("%s: looked %t, exists %t; want %t, %t", status, got.Looked, got.Exists, want.Looked, want.Exists)
		}
	}
}
