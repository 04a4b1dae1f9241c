package provider_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func (s *hubSetup) cluster(name, extra string) {
	s.t.Helper()
	s.Write("main.tf", fmt.Sprintf("resource \"fleet_cluster\" \"x\" {\n  name = \"edge\"\n  connect = { ocm = { hub = \"hub\", cluster = %q } }\n%s\n}\n", name, extra))
}

func TestAccCluster_behindHub(t *testing.T) {
	s := newHubSetup(t)
	name := s.edge(func(c *clusterv1.ManagedCluster) {
		c.Status.Version.Kubernetes = "v1.33.4+k3s1"
		c.Status.Allocatable = clusterv1.ResourceList{clusterv1.ResourceName(corev1.ResourceCPU): resource.MustParse("4")}
		c.Status.ClusterClaims = []clusterv1.ManagedClusterClaim{{Name: "site", Value: "harbour"}}
	})
	c := s.hub.Managed(t, name)
	c.Labels = map[string]string{"site": "harbour"}
	c.Spec.Taints = append(c.Spec.Taints, clusterv1.Taint{Key: "new", Value: "yes", Effect: clusterv1.TaintEffectNoSelectIfNew},
		clusterv1.Taint{Key: clusterv1.ManagedClusterTaintUnreachable, Effect: clusterv1.TaintEffectNoSelect})
	s.hub.Update(t, c)
	s.cluster(name, "")
	s.Apply()
	s.PlanEmpty()
	x := s.Resource("fleet_cluster.x")
	want := map[string]any{
		"kubernetes_version": "v1.33.4+k3s1", "minor": "1.33", "platform": nil, "reachable": true, "uid": string(s.hub.Managed(t, name).UID),
		"labels": map[string]any{"site": "harbour"},
		"facts":  map[string]any{"nodes": nil, "regions": nil, "zones": nil, "apis": nil, "allocatable": map[string]any{"cpu": "4"}, "claims": map[string]any{"site": "harbour"}},
	}
	for attribute, value := range want {
		if diff := cmp.Diff(value, x[attribute]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", attribute, diff)
		}
	}

	if taints, _ := x["taints"].([]any); len(taints) != 1 || dig(taints[0], "key") != "new" || dig(taints[0], "value") != "yes" || dig(taints[0], "effect") != "NoSelectIfNew" {
		t.Errorf("taints are %v", x["taints"])
	}

	t.Log("other labels on the hub, and then the configuration's")
	c = s.hub.Managed(t, name)
	c.Labels["site"] = "quay"
	s.hub.Update(t, c)
	s.Apply()
	if got := dig(s.Resource("fleet_cluster.x"), "labels", "site"); got != "quay" {
		t.Errorf("the label is %v", got)
	}
	s.cluster(name, "labels = { mine = \"1\" }\ntaints = []")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(map[string]any{"mine": "1"}, s.Resource("fleet_cluster.x")["labels"]); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	s.cluster(name, "")
	s.Apply()
	s.PlanEmpty()
	if got := dig(s.Resource("fleet_cluster.x"), "labels", "site"); got != "quay" {
		t.Errorf("without labels of its own, the label is %v", got)
	}

	t.Log("a lease that ran out is no answer, and no failure")
	s.hub.SetCondition(t, name, clusterv1.ManagedClusterConditionAvailable, metav1.ConditionUnknown)
	says(t, s.Plan("-refresh-only"), `Warning: Cluster "edge" does not answer`, "its agent has not been heard of lately: said by a test", "What is known of the cluster is kept.")
	s.Apply()
	if x := s.Resource("fleet_cluster.x"); x["reachable"] != false || x["minor"] != "1.33" {
		t.Errorf("reachable is %v, minor %v", x["reachable"], x["minor"])
	}

	t.Log("a hub that is down")
	s.hub.SetCondition(t, name, clusterv1.ManagedClusterConditionAvailable, metav1.ConditionTrue)
	s.proxy.Refuse()
	says(t, s.Plan(), `Warning: Cluster "hub" does not answer`)
	s.proxy.Listen(t)
	s.Apply()

	t.Log("registered anew, it is another cluster")
	s.hub.Unregister(t, name)
	s.hub.Register(t, name, nil)
	says(t, s.Plan(), `Warning: Another cluster answers as "edge"`, "The uid of its ManagedCluster "+name)
	s.Destroy()
}

func TestAccCluster_hubErrors(t *testing.T) {
	s := newHubSetup(t)
	name := s.edge(nil)
	for _, test := range []struct {
		name, cluster string
		atPlan        bool
		says          []string
	}{
		{"a name that the hub lacks", fmt.Sprintf("connect = { ocm = { hub = \"hub\", cluster = %q } }", name+"x"), false,
			[]string{`Error: Cluster "edge" does not answer`, `The hub "hub" has no ManagedCluster "` + name + `x"; did you mean "` + name + `"?`}},
		{"a hub that nobody configured", `connect = { ocm = { hub = "hubb", cluster = "a" } }`, true, []string{`Error: No connection for cluster "hubb"`, `Did you mean "hub"?`}},
		{"no hub", `connect = { ocm = { hub = "eu-2", cluster = "a" } }`, false, []string{"it is no hub of Open Cluster Management"}},
		{"a host beside it", `connect = { host = "https://h", ocm = { hub = "hub", cluster = "a" } }`, true, []string{"Beside ocm there are other attributes"}},
		{"an executor that is none", `connect = { ocm = { hub = "hub", cluster = "a", executor = "deployer" } }`, true, []string{`"deployer" is not a service account such as "team-a/deployer"`}},
		{"a place to register that is no hub", "register = true\nconnect = { context = \"eu-2\" }", false, []string{"Error: Nowhere to register"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Write("main.tf", "resource \"fleet_cluster\" \"x\" {\n  name = \"edge\"\n"+test.cluster+"\n}\n")
			if test.atPlan {
				says(t, s.PlanFails(), test.says...)
				return
			}
			says(t, s.ApplyFails(), test.says...)
		})
	}
}

func TestAccCluster_register(t *testing.T) {
	s := newHubSetup(t)
	name := fleettest.Name(t)
	s.cluster(name, "register = true\n  labels = { site = \"harbour\", old = \"1\" }\n  taints = [{ key = \"new\", effect = \"NoSelectIfNew\" }]")
	says(t, s.Apply(), `Warning: Cluster "edge" does not answer`, "its agent has not joined yet", "It is registered all the same.")
	c := s.hub.Managed(t, name)
	if !c.Spec.HubAcceptsClient || c.Labels["site"] != "harbour" || len(c.Spec.Taints) != 1 || c.Spec.Taints[0].Effect != clusterv1.TaintEffectNoSelectIfNew {
		t.Errorf("the ManagedCluster is %+v", c)
	}

	t.Log("it joins, and somebody else labels and taints it")
	c.Labels["team"] = "theirs"
	c.Spec.Taints = append(c.Spec.Taints, clusterv1.Taint{Key: "theirs", Effect: clusterv1.TaintEffectNoSelect})
	s.hub.Update(t, c)
	for _, condition := range []string{clusterv1.ManagedClusterConditionJoined, clusterv1.ManagedClusterConditionAvailable} {
		s.hub.SetCondition(t, name, condition, metav1.ConditionTrue)
	}
	s.Apply()
	s.PlanEmpty()
	if x := s.Resource("fleet_cluster.x"); x["reachable"] != true || x["uid"] != string(c.UID) {
		t.Errorf("reachable is %v, uid %v", x["reachable"], x["uid"])
	}

	t.Log("other labels")
	s.cluster(name, "register = true\n  labels = { site = \"quay\" }")
	s.Apply()
	s.PlanEmpty()
	c = s.hub.Managed(t, name)
	if diff := cmp.Diff(map[string]string{"site": "quay", "team": "theirs"}, c.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if len(c.Spec.Taints) != 1 || c.Spec.Taints[0].Key != "theirs" {
		t.Errorf("taints are %v", c.Spec.Taints)
	}
	t.Log("it is not unregistered as long as somebody has works for it, which the hub would delete")
	// A hub makes the namespace once it has accepted the cluster.
	admin := s.hub.Cluster.Admin(t).CoreV1().Namespaces()
	if _, err := admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.hub.PutWork(t, workv1.ManifestWork{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "theirs"}})
	contains(t, s.MustFail("destroy", "-auto-approve", "-no-color"), "the hub still has ManifestWorks", "theirs", `on_removal = "leave"`)
	s.hub.DeleteWork(t, name, "theirs")
	fleettest.Eventually(t, "the work is gone", func() bool { return s.hub.Work(t, name, "theirs") == nil })
	s.Destroy()
	fleettest.Eventually(t, "the hub has forgotten the cluster", func() bool { return !s.hub.Has(t, name) })
	if err := admin.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// TestAccCluster_registerSeveral registers clusters that the hub did not have when it was first asked.
func TestAccCluster_registerSeveral(t *testing.T) {
	s := newHubSetup(t)
	name := fleettest.Name(t)
	s.Write("main.tf", fmt.Sprintf("resource \"fleet_cluster\" \"x\" {\n  for_each = { a = 1, b = 2, c = 3, d = 4 }\n  name = each.key\n  register = true\n  connect = { ocm = { hub = \"hub\", cluster = \"%s-${each.key}\" } }\n}\n", name))
	s.Apply("-parallelism=2")
	for _, one := range []string{"a", "b", "c", "d"} {
		if !s.hub.Has(t, name+"-"+one) {
			t.Errorf("%s is not registered", one)
		}
	}
	s.PlanEmpty()
	s.Destroy()
}

// TestAccCluster_hubUnknown plans clusters of which it is not known yet how they are reached.
func TestAccCluster_hubUnknown(t *testing.T) {
	s := newHubSetup(t)
	name := s.edge(func(c *clusterv1.ManagedCluster) { c.Labels = map[string]string{"site": "harbour"} })
	s.Write("main.tf", fmt.Sprintf(`
resource "terraform_data" "later" { input = { edge = %q, direct = "eu-2" } }
resource "fleet_cluster" "edge" {
  name    = "edge"
  connect = { ocm = { hub = "hub", cluster = terraform_data.later.output.edge } }
}
resource "fleet_cluster" "direct" {
  name    = "direct"
  connect = { kubeconfig_path = %q, context = terraform_data.later.output.direct }
}
output "direct" { value = fleet_cluster.direct.labels == null }
`, name, fleettest.Kubeconfig(t)))
	out := s.Plan()
	saysNot(t, out, "direct = (known after apply)")
	s.Apply()
	s.PlanEmpty()
	if got := dig(s.Resource("fleet_cluster.edge"), "labels", "site"); got != "harbour" {
		t.Errorf("the label is %v", got)
	}
	if got := s.Resource("fleet_cluster.direct")["labels"]; got != nil {
		t.Errorf("the other's labels are %v", got)
	}
	s.Destroy()
}
