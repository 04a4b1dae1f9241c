package cluster

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	clusterv1 "open-cluster-management.io/api/cluster/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// OCM says through which hub of Open Cluster Management a cluster is reached.
type OCM struct {
	// Hub is the name by which the hub's own connection is looked up.
	Hub string `json:"hub"`
	// Cluster is the name of the ManagedCluster there.
	Cluster string `json:"cluster"`
	// Executor is the service account on the site, as "namespace/name", as whom the agent applies; empty is the agent itself.
	Executor string `json:"executor,omitempty"`
	// Access is the hub's access text; only access texts and merged connections have it.
	Access string `json:"access,omitempty"`
}

func (c Connection) checkOCM() []Problem {
	alone := c
	alone.OCM = nil
	var problems []Problem
	for attribute, text := range map[string]string{"ocm.hub": c.OCM.Hub, "ocm.cluster": c.OCM.Cluster} {
		if text == "" {
			problems = append(problems, Problem{attribute, fmt.Sprintf("%s is missing: a cluster behind a hub needs the name of the hub's connection and of its ManagedCluster there.", attribute)})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Attribute, b.Attribute) })
	if namespace, name, found := strings.Cut(c.OCM.Executor, "/"); c.OCM.Executor != "" && (!found || namespace == "" || name == "" || strings.Contains(name, "/")) {
		problems = append(problems, Problem{"ocm.executor", fmt.Sprintf("%q is not a service account such as \"team-a/deployer\", its namespace and its name.", c.OCM.Executor)})
	}
	if !alone.IsZero() {
		problems = append(problems, Problem{"ocm", "Beside ocm there are other attributes, and they exclude each other: a cluster is reached through a hub or directly. How to reach the hub is said of the hub."})
	}
	return problems
}

// through is the hub that the places name; nil where none does. The first place that says anything decides.
func through(name string, layers []layer) (*OCM, error) {
	for i, l := range layers {
		switch {
		case l.conn.OCM == nil:
		case i == 0:
			return l.conn.OCM, nil
		default:
			return nil, l.invalid(name, "ocm", fmt.Sprintf("%s says how to reach the cluster directly, and %s that it is behind a hub; give one of the two", layers[0].place, l.place))
		}
	}
	return nil, nil
}

// resolveHub resolves the connection of a cluster that is reached through a hub, with that of the hub.
func (p *Pool) resolveHub(name string, ocm OCM) (merged, error) {
	a, err := ParseAccess(ocm.Access)
	if err != nil {
		return merged{}, &InvalidError{Cluster: name, Place: accessPlace, Attribute: "ocm", Problem: err.Error()}
	}
	hub, err := p.resolve(ocm.Hub, a.Connection, accessPlace, a.OwnHost)
	if err != nil {
		return merged{}, err
	}
	if hub.OCM != nil {
		return merged{}, &InvalidError{Cluster: name, Place: "the connection of the hub " + ocm.Hub, Attribute: "ocm", Problem: "a hub cannot itself be reached through a hub"}
	}
	if missing := hub.missing(a); len(missing) > 0 {
		return merged{}, &MissingCredentialsError{Cluster: ocm.Hub, Host: hub.Host, Missing: missing}
	}
	ocm.Access = hub.access()
	return merged{Connection: Connection{OCM: &ocm}, origin: map[string]int{}}, nil
}

// managedClusters is where a hub serves what it knows of its clusters.
var managedClusters = schema.GroupVersionResource{Group: clusterv1.GroupName, Version: "v1", Resource: "managedclusters"}

// NotManagedError says that a hub knows no cluster of the name.
type NotManagedError struct {
	Hub, Cluster string
	// Suggestion is a name close to it; empty where there is none.
	Suggestion string
}

func (e *NotManagedError) Error() string {
	text := fmt.Sprintf("the hub %q has no ManagedCluster %q", e.Hub, e.Cluster)
	if e.Suggestion != "" {
		text += fmt.Sprintf("; did you mean %q?", e.Suggestion)
	}
	return text
}

// ThroughHubError says that a question can be put to no API server, because the cluster is reached through a hub only.
type ThroughHubError struct{ Cluster, Hub string }

func (e *ThroughHubError) Error() string {
	return fmt.Sprintf("cluster %q is reached through the hub %q only, so its API server cannot be asked", e.Cluster, e.Hub)
}

// Hub returns the client of the hub through which the cluster is reached, and what the hub says of the cluster; nil where it is
// reached directly.
func (c *Client) Hub() (*Client, *clusterv1.ManagedCluster) { return c.hub, c.managed }

// Executor is the service account, as "namespace/name", as whom the agent of a cluster behind a hub applies; empty is the agent itself.
func (c *Client) Executor() string { return c.executor }

// connectThrough makes a client of a cluster behind a hub, and finds out whether the cluster's agent answers.
func (p *Pool) connectThrough(ctx context.Context, name string, ocm OCM) (*Client, error) {
	hub, err := p.Client(ctx, ocm.Hub, ocm.Access)
	if err != nil {
		return nil, fmt.Errorf("the hub of cluster %q: %w", name, err)
	}
	known, err := hub.ManagedClusters(ctx)
	if err != nil {
		return nil, fmt.Errorf("the hub of cluster %q: %w", name, err)
	}
	managed := known[ocm.Cluster]
	if managed == nil {
		absent := &NotManagedError{Hub: ocm.Hub, Cluster: ocm.Cluster, Suggestion: fleet.Closest(ocm.Cluster, slices.Sorted(maps.Keys(known)))}
		return nil, &UnreachableError{Cluster: name, Host: hub.Host(), Err: absent}
	}
	if why := Unavailable(managed); why != "" {
		return nil, &UnreachableError{Cluster: name, Host: hub.Host(), Err: fmt.Errorf("the hub %q says of ManagedCluster %q that %s", ocm.Hub, ocm.Cluster, why)}
	}
	c := &Client{name: name, identity: hub.identity, log: hub.log, target: hub.target, hub: hub, managed: managed, executor: ocm.Executor, version: VersionOf(managed)}
	c.target.name = name
	// Whoever takes this client for one of the cluster itself must not end up on the hub.
	nobody := refusing{&ThroughHubError{Cluster: name, Hub: ocm.Hub}}
	c.config = &rest.Config{Host: hub.Host(), Transport: nobody}
	c.http = &http.Client{Transport: nobody}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, c.http); err != nil {
		return nil, err
	}
	if c.metadata, err = metadata.NewForConfigAndClient(c.config, c.http); err != nil {
		return nil, err
	}
	return c, nil
}

// refusing answers no request.
type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

// ManagedClusters lists, as a hub, the managed clusters by name, once per process.
func (c *Client) ManagedClusters(ctx context.Context) (map[string]*clusterv1.ManagedCluster, error) {
	c.fleetMu.Lock()
	defer c.fleetMu.Unlock()
	if c.fleet != nil {
		return c.fleet, nil
	}
	ctx, done := asking(ctx)
	defer done()
	list, err := c.dynamic.Resource(managedClusters).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, &InvalidError{Cluster: c.name, Place: c.target.host, Problem: "a Kubernetes API server answers there, but it is no hub of Open Cluster Management: it serves no managedclusters." + managedClusters.Group}
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	fleet := make(map[string]*clusterv1.ManagedCluster, len(list.Items))
	for i := range list.Items {
		managed := &clusterv1.ManagedCluster{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, managed); err != nil {
			return nil, fmt.Errorf("ManagedCluster %s: %w", list.Items[i].GetName(), err)
		}
		fleet[managed.Name] = managed
	}
	c.fleet = fleet
	return fleet, nil
}

// forgetFleet has the hub of a forgotten cluster asked anew.
func (e *entry) forgetFleet() {
	select {
	case <-e.done:
	default:
		return
	}
	if e.hub != nil {
		e.hub.forgetFleet()
	}
}

// forgetFleet has the hub list its clusters anew.
func (c *Client) forgetFleet() {
	c.fleetMu.Lock()
	defer c.fleetMu.Unlock()
	c.fleet = nil
}

// Unavailable says why a managed cluster cannot be worked with; empty where it can. What the hub does not know counts as no answer:
// an agent that has not renewed its lease may just be offline.
func Unavailable(managed *clusterv1.ManagedCluster) string {
	if !managed.Spec.HubAcceptsClient {
		return "the hub has not accepted it"
	}
	if !meta.IsStatusConditionTrue(managed.Status.Conditions, clusterv1.ManagedClusterConditionJoined) {
		return "its agent has not joined yet"
	}
	c := meta.FindStatusCondition(managed.Status.Conditions, clusterv1.ManagedClusterConditionAvailable)
	switch {
	case c == nil:
		return "it is not known to be available"
	case c.Status == metav1.ConditionTrue:
		return ""
	case c.Status == metav1.ConditionUnknown:
		return "its agent has not been heard of lately: " + c.Message
	}
	return "it is not available: " + c.Message
}

// VersionOf is what a managed cluster runs, as far as its agent says.
func VersionOf(managed *clusterv1.ManagedCluster) Version {
	v := Version{Git: managed.Status.Version.Kubernetes}
	parts := strings.SplitN(strings.TrimPrefix(v.Git, "v"), ".", 3)
	if len(parts) >= 2 {
		v.Minor = parts[0] + "." + strings.TrimRight(parts[1], "+")
	}
	return v
}
