package health_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

const sick = `
apiVersion: v1
kind: ResourceQuota
metadata: {name: none}
spec: {hard: {count/configmaps: "100", limits.cpu: "1"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: refused}
spec:
  selector: {matchLabels: {app: refused}}
  template:
    metadata: {labels: {app: refused}}
    spec: {containers: [{name: app, image: nginx}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: homeless}
spec:
  replicas: 2
  selector: {matchExpressions: [{key: app, operator: In, values: [homeless]}]}
  template:
    metadata: {labels: {app: homeless}}
    spec: {nodeSelector: {no-node: has-this}, containers: [{name: app, image: nginx, resources: {limits: {cpu: 1m}}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: no-such-class, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

// TestReasonOnARealCluster has what Related asks for listed by a real API server, and the reasons told by a real
// scheduler and real controllers.
func TestReasonOnARealCluster(t *testing.T) {
	cluster := fleettest.Get(t, "eu-1")
	namespace := fleettest.Namespace(t)
	cluster.MustKubectl(t, sick, "apply", "-n", namespace, "-f", "-")
	client := cluster.AdminDynamic(t)
	resources := map[string]schema.GroupVersionResource{
		"Deployment": {Group: "apps", Version: "v1", Resource: "deployments"}, "PersistentVolumeClaim": {Version: "v1", Resource: "persistentvolumeclaims"},
		"Pod": {Version: "v1", Resource: "pods"}, "Event": {Version: "v1", Resource: "events"},
	}
	for _, test := range []struct{ kind, name, want, message string }{
		{"Deployment", "refused", "FailedCreate (pods \"refused-", "0 of 1 replica ready"},
		{"Deployment", "homeless", ": Unschedulable (0/", "0 of 2 replicas ready"},
		{"PersistentVolumeClaim", "data", "ProvisioningFailed (storageclass.storage.k8s.io \"no-such-class\" not found)", "Pending"},
	} {
		last := ""
		look := func() bool {
			obj, err := client.Resource(resources[test.kind]).Namespace(namespace).Get(t.Context(), test.name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var found []unstructured.Unstructured
			for lists := health.Related(obj); len(lists) > 0; {
				for _, l := range lists {
					list, err := client.Resource(resources[l.Kind.Kind]).Namespace(l.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: l.LabelSelector, FieldSelector: l.FieldSelector})
					if err != nil {
						t.Fatal(err)
					}
					found = append(found, list.Items...)
				}
				before := len(found)
				if last, lists = health.Reason(obj, found); len(found) == before {
					break
				}
			}
			h, err := health.Evaluate(obj)
			return err == nil && strings.Contains(last, test.want) && strings.Contains(h.Message, test.message)
		}
		fleettest.Eventually(t, test.kind+" "+test.name+" tells its reason", look)
		t.Logf("%s: %s", test.name, last)
	}
}
