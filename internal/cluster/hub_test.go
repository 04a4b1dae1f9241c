package cluster

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
)

func TestResolve_hub(t *testing.T) {
	hub := Connection{Host: "https://hub:6443", Token: "secret"}
	edge := Connection{OCM: &OCM{Hub: "hub", Cluster: "edge-7"}}
	p := NewPool(Config{Connections: map[string]Connection{"hub": hub, "a": edge, "b": {Host: "https://b", Token: "t"}, "nested": {OCM: &OCM{Hub: "a", Cluster: "x"}}}})
	want := `{"ocm":{"hub":"hub","cluster":"edge-7","access":"{\"host\":\"https://hub:6443\",\"credentials\":[\"token\"]}"}}`
	for name, own := range map[string]Connection{"a": {}, "c": edge} {
		got, err := p.Resolve(name, own)
		if err != nil || got.Access() != want {
			t.Errorf("%s: %s, %v; want %s", name, got.Access(), err, want)
		}
	}
	t.Log("the hub has left the configuration, and with it the token")
	later := NewPool(Config{KubeconfigPaths: []string{t.TempDir() + "/none"}})
	err := later.Configured("a", want)
	var missing *MissingCredentialsError
	if !errors.As(err, &missing) || missing.Cluster != "hub" {
		t.Errorf("got %v", err)
	}
	if err := p.Configured("a", want); err != nil {
		t.Errorf("the access text does not resolve: %v", err)
	}
	for name, test := range map[string]struct {
		own  Connection
		says string
	}{
		"b":      {edge, "says how to reach the cluster directly"},
		"nested": {Connection{}, "a hub cannot itself be reached through a hub"},
		"d":      {Connection{OCM: &OCM{Hub: "hub"}}, "ocm.cluster is missing"},
		"e":      {Connection{Host: "https://e", OCM: &OCM{Hub: "hub", Cluster: "e"}}, "they exclude each other"},
	} {
		if _, err := p.Resolve(name, test.own); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
	unknown := NewPool(Config{UnknownConnections: map[string]bool{"hub": true}, Connections: map[string]Connection{"hub": hub}})
	var notYet *UnknownError
	if _, err := unknown.Resolve("c", edge); !errors.As(err, &notYet) {
		t.Errorf("a hub that is not known yet: %v", err)
	}
}

func TestUnavailable(t *testing.T) {
	condition := func(name string, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: name, Status: status, Message: "m"}
	}
	joined := condition(clusterv1.ManagedClusterConditionJoined, metav1.ConditionTrue)
	for want, c := range map[string]clusterv1.ManagedCluster{
		"the hub has not accepted it":  {},
		"its agent has not joined yet": {Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true}},
		"it is not known to be available": {Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true},
			Status: clusterv1.ManagedClusterStatus{Conditions: []metav1.Condition{joined}}},
		"its agent has not been heard of lately: m": {Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true},
			Status: clusterv1.ManagedClusterStatus{Conditions: []metav1.Condition{joined, condition(clusterv1.ManagedClusterConditionAvailable, metav1.ConditionUnknown)}}},
		"it is not available: m": {Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true},
			Status: clusterv1.ManagedClusterStatus{Conditions: []metav1.Condition{joined, condition(clusterv1.ManagedClusterConditionAvailable, metav1.ConditionFalse)}}},
		"": {Spec: clusterv1.ManagedClusterSpec{HubAcceptsClient: true},
			Status: clusterv1.ManagedClusterStatus{Conditions: []metav1.Condition{joined, condition(clusterv1.ManagedClusterConditionAvailable, metav1.ConditionTrue)}}},
	} {
		if got := Unavailable(&c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVersionOf(t *testing.T) {
	for git, minor := range map[string]string{"v1.36.3": "1.36", "v1.33.4+k3s1": "1.33", "v1.30+": "1.30", "": ""} {
		c := &clusterv1.ManagedCluster{}
		c.Status.Version.Kubernetes = git
		if got := VersionOf(c); got.Git != git || got.Minor != minor {
			t.Errorf("%q is %+v", git, got)
		}
	}
}
