package provider_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// databases defines a kind whose controller is the test.
func databases(group string) string {
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: Database, plural: databases, singular: database}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`, group)
}

const onlyEU1 = `clusters = { for k, c in fleet_cluster.this : k => c if k == "eu-1" }` + "\n"

// applying runs an apply; what it returns waits for its end, and returns whether it succeeded and what it printed.
func (s *setup) applying() func() (bool, string) {
	s.t.Helper()
	cmd, out := s.begin("apply", "-auto-approve", "-no-color")
	return func() (bool, string) { return cmd.Wait() == nil, out.String() }
}

// TestAccManifest_healthChecks has a custom resource judged by expressions, in an apply and in a read.
func TestAccManifest_healthChecks(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "databases"}
	object := "Database." + group + " " + ns + "/main"
	s.fleet("")
	configure := func(size int, timeout string) {
		s.set(fmt.Sprintf(`namespace = %q
%swait = {
  timeout = %q
  health_checks = [{
    group   = %q
    kind    = "Database"
    current = "object.status.phase == 'Ready'"
    failed  = "object.status.phase == 'Error'"
    message = "object.status.text"
  }]
}`, ns, onlyEU1, timeout, group), databases(group), fmt.Sprintf("apiVersion: %s/v1\nkind: Database\nmetadata: {name: main}\nspec: {size: %d}\n", group, size))
	}
	status := func(generation int64, phase, text string) {
		t.Helper()
		fleettest.Eventually(t, fmt.Sprintf("generation %d is there", generation), func() bool {
			obj, err := fleettest.Get(t, "eu-1").AdminDynamic(t).Resource(resource).Namespace(ns).Get(t.Context(), "main", metav1.GetOptions{})
			return err == nil && obj.GetGeneration() == generation
		})
		patch(t, "eu-1", resource, ns, "main", fmt.Sprintf(`{"status":{"observedGeneration":%d,"phase":%q,"text":%q}}`, generation, phase, text), "status")
	}

	t.Log("healthy only when its status says so")
	configure(1, "2s")
	contains(t, s.ApplyFails(), "eu-1 "+object+": not ready after 2s: it has no status yet, of which object.status.phase == 'Ready' speaks")
	configure(1, "10m")
	end := s.applying()
	status(1, "Ready", "")
	if ok, out := end(); !ok {
		t.Fatalf("the apply failed:\n%s", out)
	}
	s.PlanEmpty()

	t.Log("what the status said of the generation before is no news")
	configure(2, "2s")
	contains(t, s.ApplyFails(), object+": not ready after 2s: its controller has seen generation 1, it is at 2")
	status(2, "Ready", "")
	configure(2, "10m")
	s.Apply()
	s.PlanEmpty()

	t.Log("failed, and not waited for")
	configure(3, "10m")
	end = s.applying()
	status(3, "Error", "the disk is full")
	ok, out := end()
	if ok {
		t.Fatalf("the apply succeeded:\n%s", out)
	}
	contains(t, out, "eu-1 "+object+": failed: the disk is full")

	t.Log("a read judges by the checks as well")
	status(3, "Ready", "")
	s.Apply()
	if s.manifest()["ready"] != true {
		t.Error("it is not ready")
	}
	status(3, "Error", "the disk is full again")
	s.Apply("-refresh-only")
	got := dig(s.manifest(), "status", "eu-1").(map[string]any)
	if want := object + ": the disk is full again"; s.manifest()["ready"] != false || got["phase"] != "Applied" || got["health"] != "Failed" || got["message"] != want {
		t.Errorf("ready is %v, the status %v, want the message %q", s.manifest()["ready"], got, want)
	}
	s.PlanEmpty()
	status(3, "Ready", "")
	s.Apply("-refresh-only")
	if got := dig(s.manifest(), "status", "eu-1").(map[string]any); s.manifest()["ready"] != true || got["message"] != nil {
		t.Errorf("ready is %v, the status %v", s.manifest()["ready"], got)
	}
	s.Destroy()
}

// TestAccManifest_healthChecksInvalid is what is wrong with expressions, said by validate and where it is.
func TestAccManifest_healthChecksInvalid(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.fleet("")
	for _, test := range []struct{ check, says string }{
		{`kind = "Database", current = "object.status.phase = 'Ready'"`, "health_checks[0].current: 1:21: Syntax error"},
		{`kind = "Database", current = "status.phase == 'Ready'"`, "the object is called object, as in object.status"},
		{`kind = "Database", current = "true", failed = "1 + 1"`, "health_checks[0].failed: the expression yields int, want bool"},
		{`kind = "Database", current = "true", message = "1"`, "health_checks[0].message: the expression yields int, want string"},
		{`kind = "Database", current = "true" }, { kind = "Database", current = "true"`, "health_checks[1].kind: there is a check for Database already"},
		{`kind = "Database", current = ""`, "what is true of an object that is healthy has to be said"},
	} {
		s.set("wait = { health_checks = [{ "+test.check+" }] }", configMap("conf", "v"))
		contains(t, s.MustFail("validate", "-no-color"), "Invalid health check", test.says)
	}
}

// homeless is a Deployment that no node takes.
func homeless(name string) string {
	return strings.Replace(deployment(name, 2), "    spec:\n", "    spec:\n      nodeSelector: {no-node: has-this}\n", 1)
}

// TestAccManifest_reasons is an apply that says why a workload is not ready.
func TestAccManifest_reasons(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("eu-1")
	s.fleet("")
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "create", "quota", "none", "-n", ns, "--hard=limits.cpu=1")
	arguments := fmt.Sprintf("namespace = %q\n%swait = { timeout = \"10s\" }", ns, onlyEU1)

	t.Log("a quota refuses the pods")
	s.set(arguments, deployment("refused", 2))
	contains(t, s.ApplyFails(), "eu-1 Deployment.apps "+ns+"/refused: not ready after 10s: 0 of 2 replicas ready", "; FailedCreate (pods \"refused-")
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "delete", "quota", "none", "-n", ns)

	t.Log("no node takes the pods")
	s.set(arguments, homeless("web"))
	contains(t, s.ApplyFails(), "eu-1 Deployment.apps "+ns+"/web: not ready after 10s: 0 of 2 replicas ready", "; pod web-", ": Unschedulable (0/", ", and 1 pod like it")

	t.Log("who may not list pods learns no reason, and the error is the same for the rest")
	p.Inject(fleettest.Fault{Match: func(r fleettest.Request) bool {
		return strings.HasSuffix(r.Path, "/pods") || strings.HasSuffix(r.Path, "/events")
	}, Times: 1000, Status: 403,
		Body: `{"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden","message":"no pods for you"}`, ContentType: "application/json"})
	out := s.ApplyFails()
	contains(t, out, "eu-1 Deployment.apps "+ns+"/web: not ready after 10s: 0 of 2 replicas ready")
	if text := out[strings.LastIndex(out, "Error: "):]; strings.Contains(text, "no pods for you") || strings.Contains(text, "; pod") {
		t.Errorf("the look-up is in the error:\n%s", out)
	}
	p.Heal()

	t.Log("what the set hides stays hidden, whoever says it")
	s.set(arguments+"\nsecrets_in_state = true", homeless("web"), "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2hunter2}\n")
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	list, err := fleettest.Get(t, "eu-1").AdminDynamic(t).Resource(pods).Namespace(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("no pods: %v", err)
	}
	for _, pod := range list.Items {
		patch(t, "eu-1", pods, ns, pod.GetName(), `{"status":{"containerStatuses":[{"name":"web","image":"nginx:1.27","imageID":"","ready":false,"restartCount":0,`+
			`"state":{"waiting":{"reason":"CreateContainerConfigError","message":"no key hunter2hunter2 in it"}}}]}}`, "status")
	}
	out = s.ApplyFails()
	contains(t, out, "CreateContainerConfigError (no key (sensitive) in it)")
	if status := fmt.Sprint(s.manifest()["status"]); strings.Contains(out+status, "hunter2hunter2") {
		t.Errorf("the password is shown:\n%s\n%s", status, out)
	}
	s.Destroy()
}
