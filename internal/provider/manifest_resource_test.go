package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_life is the main job: from nothing to a small application with its namespace and its own kind on three
// clusters of two Kubernetes versions, drift, correction, edits, pruning and the end.
func TestAccManifest_life(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Name(t)
		s.fleet("")
		group := strings.ReplaceAll(ns, "-", "") + ".example.org"
		app := []string{
			fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", ns),
			strings.Join([]string{deployment("web", 3), configMap("web", "v1"),
				"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports:\n  - port: 80\n"}, "---\n"),
			definition(group),
			fmt.Sprintf("apiVersion: %s/v1\nkind: Shop\nmetadata: {name: first}\nspec: {size: 3}\n", group),
		}
		s.set(fmt.Sprintf("namespace = %q", ns), app...)

		out := s.Plan()
		contains(t, out, "create 6 objects on eu-1, eu-2, us-1")
		s.Apply()
		s.PlanEmpty()
		for _, c := range fleettest.Clusters(t) {
			if got := s.field(c.Name, "Deployment.apps "+ns+"/web", "spec.replicas"); got != 3.0 {
				t.Errorf("%s: replicas in state are %v", c.Name, got)
			}
			if got := s.field(c.Name, "Deployment.apps "+ns+"/web", "spec.template.spec.containers[name=web].resources.requests.cpu"); got != "500m" {
				t.Errorf("%s: cpu in state is %v", c.Name, got)
			}
			if dig(s.manifest(), "status", c.Name, "phase") != "Applied" {
				t.Errorf("%s: %v", c.Name, dig(s.manifest(), "status", c.Name))
			}
		}
		if s.manifest()["ready"] != true {
			t.Error("not ready")
		}

		t.Log("somebody scales by hand and deletes an object")
		patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":7}}`, "scale")
		remove(t, "us-1", configmaps, ns, "web")
		before := live(t, "eu-1", deployments, ns, "web").GetResourceVersion()
		out = s.Plan()
		contains(t, out, "correct Deployment.apps "+ns+"/web on eu-2: spec.replicas 7 → 3", "create ConfigMap "+ns+"/web on us-1",
			`~ "spec.replicas" = 7 -> 3`, "Drift on 1 of 3 clusters", "spec.replicas is 7, should be 3 by kubectl (Update, scale)", `+ "ConfigMap `+ns+`/web" = jsonencode(`)
		s.Apply()
		s.PlanEmpty()
		if got := live(t, "eu-2", deployments, ns, "web").Object["spec"].(map[string]any)["replicas"]; got != int64(3) {
			t.Errorf("eu-2 has %v replicas", got)
		}
		if live(t, "us-1", configmaps, ns, "web") == nil {
			t.Error("the deleted ConfigMap is not back")
		}
		if after := live(t, "eu-1", deployments, ns, "web").GetResourceVersion(); after != before {
			t.Error("an object on which nothing had changed was written")
		}

		t.Log("an edit of the formatting plans nothing")
		app[3] = fmt.Sprintf("# a comment\nkind: Shop\napiVersion: %s/v1\nmetadata:\n    name: \"first\"\nspec:\n    size: 3\n", group)
		s.set(fmt.Sprintf("namespace = %q", ns), app...)
		s.PlanEmpty()

		t.Log("an edit, an object less")
		app[1] = strings.Join([]string{deployment("web", 4), configMap("web", "v2")}, "---\n")
		s.set(fmt.Sprintf("namespace = %q", ns), app...)
		out = s.Plan()
		contains(t, out, "update Deployment.apps "+ns+"/web on eu-1, eu-2, us-1: spec.replicas 3 → 4", "data.k v1 → v2", "delete Service "+ns+"/web on eu-1, eu-2, us-1")
		s.Apply()
		s.PlanEmpty()
		if got := uids(t, services, ns, "web"); len(got) != 0 {
			t.Errorf("the Service is still on %v", got)
		}

		t.Log("a cluster and its connection leave in one change")
		gone := s.kubeconfigs["us-1"]
		s.fleet("")
		s.Write("set.tf", strings.Replace(read(t, s.Path("set.tf")), "clusters = fleet_cluster.this", `clusters = { for k, c in fleet_cluster.this : k => c if k != "us-1" }`, 1))
		out = s.Apply()
		contains(t, out, "delete 5 objects on us-1")
		if got := uids(t, deployments, ns, "web"); got["us-1"] != "" || len(got) != 2 {
			t.Errorf("web is on %v", got)
		}
		s.kubeconfigs["us-1"] = gone
		s.PlanEmpty()

		s.Destroy()
		for _, c := range fleettest.Clusters(t) {
			if live(t, c.Name, namespaces, "", ns) != nil || live(t, c.Name, crds, "", "shops."+group) != nil {
				t.Errorf("%s: something is left", c.Name)
			}
		}
	})
}

func definition(group string) string {
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: Shop, plural: shops, singular: shop}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              color: {type: string, default: blue}
`, group)
}

// TestAccManifest_noPerpetualDiff puts in all that an API server answers in other words than it was told.
func TestAccManifest_noPerpetualDiff(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: odd, labels: {}, annotations: {one: "1", yes-no: "true"}}
spec:
  replicas: 1
  serviceName: odd
  selector: {matchLabels: {app: odd}}
  template:
    metadata: {labels: {app: odd}, annotations: null}
    spec:
      terminationGracePeriodSeconds: 0
      tolerations: []
      nodeSelector: {}
      containers:
      - name: c
        image: busybox
        command: []
        env: [{name: ONE, value: "1"}, {name: EMPTY, value: ""}]
        resources: {limits: {cpu: 0.5, memory: 1024Mi}, requests: {cpu: 0.25, memory: 0.5Gi}}
        ports: [{containerPort: 8080}]
        volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes:
      - {name: tmp, emptyDir: {}}
      - {name: conf, projected: {sources: [{serviceAccountToken: {path: token}}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: odd}
stringData: {password: hunter2, port: "5432"}
data: {blob: AAEC}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: odd}
roleRef: {kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: User, name: me}, {kind: ServiceAccount, name: default}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: odd}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}], from: [{podSelector: {}}]}], policyTypes: [Ingress]}
---
apiVersion: v1
kind: Service
metadata: {name: odd}
spec: {selector: {app: odd}, ports: [{port: 80, targetPort: http}], clusterIP: None}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {"dotted.key": "x", empty: ""}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}, data: {}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: odd}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: odd}, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: odd}
spec: {minAvailable: 50%, selector: {matchLabels: {app: odd}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: odd}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}, storageClassName: ""}
`)
	s.Write("set.tf", strings.Replace(read(t, s.Path("set.tf")), "manifests", "wait = { until = \"none\" }\n  manifests", 1))
	s.Apply()
	s.PlanEmpty()
	s.Plan("-refresh-only")
	state := read(t, s.Path("terraform.tfstate"))
	for _, text := range []string{`hunter2`} {
		if strings.Count(state, text) > 1 {
			t.Errorf("%q is in the state elsewhere than in the configured argument", text)
		}
	}
	t.Log("drift in a Secret is found, and neither value is shown")
	patch(t, "eu-1", secrets, ns, "odd", `{"stringData":{"password":"other"}}`)
	out := s.Plan()
	contains(t, out, "correct Secret "+ns+"/odd on eu-1: data.password")
	if strings.Contains(out, "hunter2") || strings.Contains(out, "b3RoZXI=") || strings.Contains(out, "aHVudGVyMg") {
		t.Errorf("a secret value is in the plan:\n%s", out)
	}
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_adoption shows what becomes of objects that were there before.
func TestAccManifest_adoption(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	put(t, "eu-1", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"same"},"data":{"k":"v","theirs":"x"}}`)
	put(t, "eu-1", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"other"},"data":{"k":"theirs"}}`)
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("same", "v"), configMap("other", "ours"))
	contains(t, s.PlanFails(), "eu-1 ConfigMap "+ns+"/other: the object was there before this set and differs", `data.k is "theirs", wanted "ours"`)

	s.set(fmt.Sprintf("namespace = %q", ns), configMap("same", "v"))
	contains(t, s.Plan(), "adopt ConfigMap "+ns+"/same on eu-1", "create 1 object on eu-2, us-1", "1 object that was there before will be adopted")
	before := uids(t, configmaps, ns, "same")["eu-1"]
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
	left := live(t, "eu-1", configmaps, ns, "same")
	if left == nil || string(left.GetUID()) != before {
		t.Fatal("the adopted object is gone")
	}
	want := map[string]any{"k": "v", "theirs": "x"}
	if diff := cmp.Diff(want, left.Object["data"]); diff != "" || len(left.GetLabels()) > 0 {
		t.Errorf("the released object changed: %s, labels %v", diff, left.GetLabels())
	}
	if got := uids(t, configmaps, ns, "same"); len(got) != 1 {
		t.Errorf("what the set created should be gone: %v", got)
	}
}

// TestAccManifest_unknownConnection plans a set for clusters whose connection is known only once other resources are.
func TestAccManifest_unknownConnection(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	write := func(names ...string) {
		s.Write("fleet.tf", fmt.Sprintf(`
resource "terraform_data" "kubeconfig" {
  for_each = toset([%s])
  input    = file("${each.key}.kubeconfig")
}
provider "fleet" {
  kubeconfigs = { for k, v in terraform_data.kubeconfig : k => v.output }
}
resource "fleet_cluster" "this" {
  for_each = terraform_data.kubeconfig
  name     = each.key
}
`, quoted(names)))
	}
	for name, text := range s.kubeconfigs {
		s.Write(name+".kubeconfig", text)
	}
	write("eu-1", "eu-2")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	contains(t, s.Plan(), "create 1 object on eu-1, eu-2", `+ "eu-1" = (known after apply)`)
	s.Apply()
	s.PlanEmpty()
	write("eu-1", "eu-2", "us-1")
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "conf"); len(got) != 3 {
		t.Errorf("conf is on %v", got)
	}
	s.Destroy()
}

// TestAccManifest_conflict has another manager apply a field of the set's object, which is a conflict, while somebody scales
// another by hand, which is drift. The plan tells them apart, and nothing is overwritten.
func TestAccManifest_conflict(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), deployment("web", 3))
	s.Apply()
	_, err := fleettest.Get(t, "eu-1").AdminDynamic(t).Resource(deployments).Namespace(ns).Patch(t.Context(), "web", types.ApplyPatchType,
		[]byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":9}}`),
		metav1.PatchOptions{FieldManager: "helm", Force: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":7}}`, "scale")
	out := s.PlanFails()
	contains(t, out, "Another manager owns fields this set wants to change", "eu-1 Deployment.apps "+ns+"/web", "spec.replicas is 9 by helm (Apply), wanted 3")
	s.ApplyFails()
	if got := live(t, "eu-1", deployments, ns, "web").Object["spec"].(map[string]any)["replicas"]; got != int64(9) {
		t.Errorf("eu-1 has %v replicas", got)
	}

	t.Log("the field is left to the other manager")
	s.set(fmt.Sprintf("namespace = %q", ns), strings.Replace(deployment("web", 3), "  replicas: 3\n", "", 1))
	s.Apply()
	s.PlanEmpty()
	if got := live(t, "eu-1", deployments, ns, "web").Object["spec"].(map[string]any)["replicas"]; got != int64(9) {
		t.Errorf("eu-1 has %v replicas", got)
	}
	s.Destroy()
}
