package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "open-cluster-management.io/api/cluster/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// listed applies a configuration with the data source and returns what it yields.
func (s *hubSetup) listed(arguments string) (clusters, rejected, silent map[string]any) {
	s.t.Helper()
	s.Write("main.tf", "data \"fleet_clusters\" \"x\" {\n"+arguments+"\n}\n"+
		"output \"clusters\" { value = data.fleet_clusters.x.clusters }\noutput \"rejected\" { value = data.fleet_clusters.x.rejected }\noutput \"silent\" { value = data.fleet_clusters.x.silent }\n")
	s.Apply()
	out := func(name string) map[string]any {
		value, _ := s.State().Values.Outputs[name].Value.(map[string]any)
		return value
	}
	return out("clusters"), out("rejected"), out("silent")
}

func TestAccClusters_hub(t *testing.T) {
	s := newHubSetup(t)
	label := map[string]string{"test": fleettest.Name(t)}
	added := metav1.NewTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	one := s.edge(func(c *clusterv1.ManagedCluster) {
		c.Labels = label
		c.Status.ClusterClaims = []clusterv1.ManagedClusterClaim{{Name: "site", Value: "harbour"}}
		c.Spec.Taints = []clusterv1.Taint{{Key: "gpu", Value: "yes", Effect: clusterv1.TaintEffectNoSelect, TimeAdded: added}, {Key: clusterv1.ManagedClusterTaintUnreachable, Effect: clusterv1.TaintEffectNoSelect, TimeAdded: added}}
	})
	two := s.edge(func(c *clusterv1.ManagedCluster) { c.Labels = label })
	s.hub.SetCondition(t, two, clusterv1.ManagedClusterConditionAvailable, metav1.ConditionUnknown)
	other := s.edge(nil)
	stranger := s.edge(func(c *clusterv1.ManagedCluster) {
		c.Labels = label
		c.Spec.HubAcceptsClient = false
	})
	s.proxy.Forget()
	clusters, rejected, silent := s.listed(fmt.Sprintf("hub = { connection = \"hub\", executor = \"team/deployer\" }\nselector = { match_labels = { test = %q } }\nunreachable = \"defer\"", label["test"]))
	lists := 0
	for _, r := range s.proxy.Requests() {
		if strings.HasSuffix(r.Path, "/managedclusters") {
			lists++
		}
	}
	if lists != 1 {
		t.Errorf("the hub was asked %d times for its clusters, want once:\n%s", lists, requests(s.proxy))
	}
	if len(clusters) != 2 || clusters[one] == nil || clusters[two] == nil {
		t.Fatalf("listed are %v", clusters)
	}
	got := clusters[one].(map[string]any)
	for attribute, want := range map[string]any{
		"uid": string(s.hub.Managed(t, one).UID), "minor": "1.35", "reachable": true, "unreachable": "defer", "labels": map[string]any{"test": label["test"]},
		"properties": map[string]any{"site": "harbour"}, "taints": []any{map[string]any{"key": "gpu", "value": "yes", "effect": "NoSelect", "added": "2026-01-31T12:00:00Z"}},
	} {
		if diff := cmp.Diff(want, got[attribute]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", attribute, diff)
		}
	}
	if access, _ := got["access"].(string); !strings.Contains(access, `"executor":"team/deployer"`) || !strings.Contains(access, one) {
		t.Errorf("access is %s", access)
	}
	if clusters[two].(map[string]any)["reachable"] != false || silent[two] == nil || silent[one] != nil {
		t.Errorf("the silent are %v", silent)
	}
	if rejected[stranger] != "the hub has not accepted it" || rejected[other] == nil {
		t.Errorf("rejected are %v", rejected)
	}
}

func TestAccClusters_contexts(t *testing.T) {
	s := newHubSetup(t)
	clusters, _, _ := s.listed(`contexts = ["eu-*"]`)
	for _, c := range fleettest.Clusters(t) {
		got, _ := clusters[c.Name].(map[string]any)
		if want := strings.HasPrefix(c.Name, "eu-"); want != (got != nil) {
			t.Errorf("%s is listed: %v", c.Name, !want)
		} else if want && (got["uid"] != c.UID(t) || got["minor"] != c.Minor) {
			t.Errorf("%s is %v", c.Name, got)
		}
	}
}

func TestAccClusters_profiles(t *testing.T) {
	s := newHubSetup(t)
	ns := fleettest.Namespace(t)
	site := fleettest.Get(t, "us-1")
	s.hub.Profile(t, ns, "profile-a", site, map[string]string{"region": "us"})
	s.hub.Profile(t, ns, "profile-b", site, nil)
	token := site.ServiceAccount(t, ns, fleettest.AdminRules()...)
	s.provider(fmt.Sprintf("connections = { profile-a = { token = %q }, profile-b = { token = \"nonsense\" } }", token))
	clusters, rejected, _ := s.listed(fmt.Sprintf("cluster_profiles = { connection = \"hub\", namespace = %q }", ns))
	got, _ := clusters["profile-a"].(map[string]any)
	if len(clusters) != 1 || got["uid"] != site.UID(t) {
		t.Fatalf("listed are %v, rejected %v", clusters, rejected)
	}
	if diff := cmp.Diff(map[string]any{"tier": "gold"}, got["properties"]); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	if why, _ := rejected["profile-b"].(string); !strings.Contains(why, "401") {
		t.Errorf("rejected are %v", rejected)
	}
	_, rejected, _ = s.listed(fmt.Sprintf("cluster_profiles = { connection = \"hub\", namespace = %q, access_provider = \"other\" }", ns))
	if rejected["profile-a"] != `its profile has no access provider "other", only test` {
		t.Errorf("rejected are %v", rejected)
	}
}

func TestAccClusters_errors(t *testing.T) {
	s := newHubSetup(t)
	for arguments, want := range map[string]string{
		"":                                "one (and only one) of [hub,contexts,cluster_profiles] is required",
		`hub = { connection = "hubb" }`:   `No connection for cluster "hubb"`,
		`hub = { connection = "us-1-x" }`: `No connection for cluster "us-1-x"`,
		`hub = { connection = "hub", executor = "x" }`:           "is not a service account",
		"contexts = [\"*\"]\nhub = { connection = \"hub\" }":     "Invalid Attribute Combination",
		"contexts = [\"*\"]\nselector = { cel = \"cluster.x\" }": "Invalid selector",
	} {
		s.Write("main.tf", "data \"fleet_clusters\" \"x\" {\n"+arguments+"\n}\n")
		says(t, s.PlanFails(), want)
	}
}
