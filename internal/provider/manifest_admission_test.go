package provider_test

import (
	"context"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var quotas = schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}

// removeLater removes a cluster-scoped object when the test has ended, and its context with it.
func removeLater(t *testing.T, cluster string, r schema.GroupVersionResource, name string) {
	t.Helper()
	if err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		t.Errorf("%s: %v", cluster, err)
	}
}

// TestAccManifest_admission has objects refused by what the clusters themselves have: each refusal stands in the plan, with who
// refuses and why, for the clusters concerned, and nothing is done.
func TestAccManifest_admission(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns)
	s.set(arguments, configMap("conf", "v"))
	s.Apply()

	t.Log("a ValidatingAdmissionPolicy of somebody else, on one cluster")
	put(t, "us-1", admissionPolicies, "", fmt.Sprintf(`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":%[1]q},"spec":{
		"matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":%[1]q}},"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1"],"resources":["deployments"],"operations":["CREATE","UPDATE"]}]},
		"validations":[{"expression":"object.spec.replicas <= 1","messageExpression":"'at most one replica here, not ' + string(object.spec.replicas)"}]}}`, ns))
	t.Cleanup(func() { removeLater(t, "us-1", admissionPolicies, ns) })
	put(t, "us-1", admissionBindings, "", fmt.Sprintf(`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":%[1]q},"spec":{"policyName":%[1]q,"validationActions":["Deny"]}}`, ns))
	t.Cleanup(func() { removeLater(t, "us-1", admissionBindings, ns) })
	s.set(arguments, configMap("conf", "v2"), deployment("web", 2))
	s.planSays("The set cannot be applied to 1 cluster", "us-1 Deployment.apps "+ns+"/web:", "ValidatingAdmissionPolicy '"+ns+"' with binding '"+ns+"' denied request: at most one replica here, not 2")
	if got := live(t, "eu-1", configmaps, ns, "conf").Object["data"].(map[string]any)["k"]; got != "v" {
		t.Errorf("a refused plan changed conf to %v", got)
	}

	t.Log("a ResourceQuota, on another")
	put(t, "eu-2", quotas, ns, fmt.Sprintf(`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"few","namespace":%q},"spec":{"hard":{"count/services":"0"}}}`, ns))
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
	s.set(arguments, configMap("conf", "v2"), deployment("web", 1), service)
	s.planSays("The set cannot be applied to 1 cluster", "eu-2 Service "+ns+"/web:", "exceeded quota: few, requested: count/services=1, used: count/services=0, limited: count/services=0")

	t.Log("Pod Security, on the third")
	patch(t, "eu-1", namespaces, "", ns, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}`)
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: root}\nspec: {hostNetwork: true, containers: [{name: c, image: busybox}]}\n"
	s.set(arguments, configMap("conf", "v2"), pod)
	s.planSays("The set cannot be applied to 1 cluster", "eu-1 Pod "+ns+"/root:", `violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`)
	s.set(arguments, configMap("conf", "v"))
	s.PlanEmpty()
	s.Destroy()
}
