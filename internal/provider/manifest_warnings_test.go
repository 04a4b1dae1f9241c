package provider_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

const endpoints = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: %s}\nsubsets: [{addresses: [{ip: 192.0.2.%d}], ports: [{port: 80}]}]\n"

// TestAccManifest_apiWarnings shows what API servers warn of at plan, each message once with its clusters and objects, and says no more of
// it once nothing changes.
func TestAccManifest_apiWarnings(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	for _, name := range []string{"eu-1", "us-1"} {
		patch(t, name, namespaces, "", ns, `{"metadata":{"labels":{"pod-security.kubernetes.io/warn":"restricted"}}}`)
	}
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns)
	s.set(arguments, fmt.Sprintf(endpoints, "one", 1), fmt.Sprintf(endpoints, "two", 2), deployment("web", 1))
	out := s.Plan()
	contains(t, out, "Warning: API servers warn on 3 clusters", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
		"eu-1, eu-2, us-1 Endpoints "+ns+"/one, Endpoints "+ns+"/two", `would violate PodSecurity "restricted:latest"`, "eu-1, us-1 Deployment.apps "+ns+"/web")
	for _, text := range []string{"is deprecated in v1.33+", "would violate PodSecurity"} {
		if n := strings.Count(fleettest.Flat(out), text); n != 1 {
			t.Errorf("%q is said %d times:\n%s", text, n, out)
		}
	}
	s.Apply()
	if out := s.PlanEmpty(); strings.Contains(out, "deprecated") {
		t.Errorf("a plan without changes repeats the warnings:\n%s", out)
	}
	s.set(arguments, fmt.Sprintf(endpoints, "one", 1), fmt.Sprintf(endpoints, "two", 3), deployment("web", 1))
	out = s.Plan()
	contains(t, out, "eu-1, eu-2, us-1 Endpoints "+ns+"/two")
	if flat := fleettest.Flat(out); strings.Contains(flat, "PodSecurity") || strings.Contains(flat, "Endpoints "+ns+"/one,") {
		t.Errorf("objects that do not change are warned of:\n%s", out)
	}
	s.Apply()
	s.Destroy()
}

// TestAccManifest_apiWarningsAtApply warns at apply of what no dry run could tell, because the definition did not exist yet.
func TestAccManifest_apiWarningsAtApply(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	s.set(fmt.Sprintf("namespace = %q", ns), strings.Replace(definition(group), "    served: true\n", "    served: true\n    deprecated: true\n    deprecationWarning: Shops close soon\n", 1),
		fmt.Sprintf("apiVersion: %s/v1\nkind: Shop\nmetadata: {name: first}\nspec: {size: 3}\n", group))
	if out := s.Plan(); strings.Contains(out, "API servers warn") {
		t.Errorf("the plan knows more than it can:\n%s", out)
	}
	contains(t, s.Apply(), "API servers warn on 3 clusters", "Shops close soon", "eu-1, eu-2, us-1 Shop."+group+" "+ns+"/first")
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_policyWarnings has an admission policy that only warns, on one cluster, and repeats what is not to be shown.
func TestAccManifest_policyWarnings(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	group := schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1"}
	for resource, body := range map[string]string{
		"validatingadmissionpolicies": `{"kind": "ValidatingAdmissionPolicy", "spec": {"failurePolicy": "Ignore",
			"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}]},
			"validations": [{"expression": "false", "messageExpression": "'the password is ' + string(object.data.password)"}]}}`,
		"validatingadmissionpolicybindings": fmt.Sprintf(`{"kind": "ValidatingAdmissionPolicyBinding", "spec": {"policyName": %[1]q, "validationActions": ["Warn"],
			"matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": %[1]q}}}}}`, ns),
	} {
		r := group.GroupVersion().WithResource(resource)
		put(t, "us-1", r, "", strings.Replace(body, "{", fmt.Sprintf(`{"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": %q}, `, ns), 1))
		t.Cleanup(func() {
			_ = fleettest.Get(t, "us-1").AdminDynamic(t).Resource(r).Delete(context.Background(), ns, metav1.DeleteOptions{})
		})
	}
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {password: hunter2hunter2}\n")
	s.Env = append(s.Env, "TF_LOG_PROVIDER=TRACE", "TF_LOG_PATH="+s.Path("trace.log"))
	var out string
	fleettest.Eventually(t, "the policy at work", func() bool {
		out = s.Plan()
		return strings.Contains(out, "API servers warn")
	})
	contains(t, out, "API servers warn on 1 cluster", "ValidatingAdmissionPolicy '"+ns+"' with binding '"+ns+"': the password is (sensitive)", "us-1 Secret "+ns+"/x")
	for where, text := range map[string]string{"the plan": out, "the log": read(t, s.Path("trace.log"))} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMmh1bnRlcjI") {
			t.Errorf("the secret is in %s", where)
		}
	}
}
