package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	clusterv1 "open-cluster-management.io/api/cluster/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// listedPlace names in messages what a listing says of a connection.
const listedPlace = "the list of clusters"

// Listing are the clusters that were found somewhere.
type Listing struct {
	Clusters []fleet.Cluster
	// Left are those that cannot be used, with the reason as a sentence.
	Left map[string]string
	// Silent are those that are in Clusters and do not answer, with what is known of why.
	Silent map[string]string
}

func (l *Listing) leave(name, why string) {
	if l.Left == nil {
		l.Left = map[string]string{}
	}
	l.Left[name] = why
}

func (l *Listing) silent(name, why string) {
	if l.Silent == nil {
		l.Silent = map[string]string{}
	}
	l.Silent[name] = why
}

// hubTaints begin the keys of the taints that a hub gives a cluster that does not answer. A fleet tells that by Reachable, and moves
// nothing because of it unless it is told to.
var hubTaints = []string{clusterv1.ManagedClusterTaintUnreachable, clusterv1.ManagedClusterTaintUnavailable}

// ListHub lists the clusters that a hub of Open Cluster Management has accepted, by one LIST. ocm says which hub, and how agents apply.
func (p *Pool) ListHub(ctx context.Context, ocm OCM) (Listing, error) {
	hub, err := p.Resolve(ocm.Hub, Connection{})
	if err != nil {
		return Listing{}, err
	}
	client, err := p.Client(ctx, ocm.Hub, hub.Access())
	if err != nil {
		return Listing{}, err
	}
	managed, err := client.ManagedClusters(ctx)
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for _, name := range slices.Sorted(maps.Keys(managed)) {
		m := managed[name]
		if !m.Spec.HubAcceptsClient {
			out.leave(name, "the hub has not accepted it")
			continue
		}
		own := ocm
		own.Cluster = name
		resolved, err := p.resolve(name, Connection{OCM: &own}, listedPlace, true)
		if err != nil {
			return out, err
		}
		c := FromManaged(m)
		c.Access = resolved.access()
		if why := Unavailable(m); why != "" {
			c.Reachable = false
			out.silent(name, why)
		}
		out.Clusters = append(out.Clusters, c)
	}
	return out, nil
}

// FromManaged is what a hub says of a cluster.
func FromManaged(m *clusterv1.ManagedCluster) fleet.Cluster {
	v := VersionOf(m)
	c := fleet.Cluster{
		Name: m.Name, UID: string(m.UID), Labels: maps.Clone(m.Labels), KubernetesVersion: v.Git, Minor: v.Minor,
		Mode: fleet.ModeActive, Reachable: true, Properties: map[string]string{},
	}
	for _, t := range m.Spec.Taints {
		if slices.Contains(hubTaints, t.Key) {
			continue
		}
		c.Taints = append(c.Taints, fleet.Taint{Key: t.Key, Value: t.Value, Effect: fleet.TaintEffect(t.Effect), Added: t.TimeAdded.Time})
	}
	if len(m.Status.Allocatable) > 0 {
		c.Facts.Allocatable = map[string]string{}
	}
	for name, quantity := range m.Status.Allocatable {
		c.Facts.Allocatable[string(name)] = quantity.String()
	}
	for _, claim := range m.Status.ClusterClaims {
		c.Properties[claim.Name] = claim.Value
	}
	c.Facts.Claims = maps.Clone(c.Properties)
	return c
}

// ListContexts lists the contexts of the kubeconfig files whose names match any of the globs, and asks each who it is.
func (p *Pool) ListContexts(ctx context.Context, names []fleet.Glob) (Listing, error) {
	config, _, err := p.files.load(p.cfg.KubeconfigPaths)
	if err != nil {
		return Listing{}, fmt.Errorf("provider kubeconfig_paths: %w", err)
	}
	own := map[string]Connection{}
	for name := range config.Contexts {
		if slices.ContainsFunc(names, func(g fleet.Glob) bool { return g.Match(name) }) {
			own[name] = Connection{}
		}
	}
	return p.ask(ctx, own, nil)
}

// Profiles says which ClusterProfiles to list, and how to use them.
type Profiles struct {
	// Connection is the name of the cluster that has them, and Namespace where.
	Connection, Namespace string
	// Provider is the name of the access provider to use; empty is the only one.
	Provider string
	// Exec prints the credentials; nil where the provider's connections give them.
	Exec *Exec
}

var clusterProfiles = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Resource: "clusterprofiles"}

// ListProfiles lists the clusters that have a ClusterProfile, and asks each who it is.
func (p *Pool) ListProfiles(ctx context.Context, from Profiles) (Listing, error) {
	at, err := p.Resolve(from.Connection, Connection{})
	if err != nil {
		return Listing{}, err
	}
	client, err := p.Client(ctx, from.Connection, at.Access())
	if err != nil {
		return Listing{}, err
	}
	asked, done := asking(ctx)
	defer done()
	list, err := client.dynamic.Resource(clusterProfiles).Namespace(from.Namespace).List(asked, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return Listing{}, &InvalidError{Cluster: from.Connection, Place: client.target.host, Problem: "it serves no clusterprofiles." + clusterProfiles.Group + " in version " + clusterProfiles.Version}
	}
	if err != nil {
		return Listing{}, client.explain(asked, err)
	}
	own, known := map[string]Connection{}, map[string]fleet.Cluster{}
	var out Listing
	for i := range list.Items {
		profile := &list.Items[i]
		c, err := connectionOf(profile, from)
		if err != nil {
			out.leave(profile.GetName(), err.Error())
			continue
		}
		own[profile.GetName()], known[profile.GetName()] = c, clusterOf(profile)
	}
	found, err := p.ask(ctx, own, known)
	for name, why := range out.Left {
		found.leave(name, why)
	}
	return found, err
}

// profileAccess is one way in, as a ClusterProfile says it.
type profileAccess struct {
	Name    string              `json:"name"`
	Cluster clientcmdv1.Cluster `json:"cluster"`
}

// connectionOf is how to reach the cluster of a profile; credentials come from elsewhere.
func connectionOf(profile *unstructured.Unstructured, from Profiles) (Connection, error) {
	var ways []profileAccess
	var names []string
	for _, field := range []string{"accessProviders", "credentialProviders"} {
		entries, _, err := unstructured.NestedSlice(profile.Object, "status", field)
		if err != nil {
			return Connection{}, fmt.Errorf("its status.%s cannot be read: %w", field, err)
		}
		for _, entry := range entries {
			var way profileAccess
			object, _ := entry.(map[string]any)
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &way); err != nil {
				return Connection{}, fmt.Errorf("its status.%s cannot be read: %w", field, err)
			}
			if names = append(names, way.Name); from.Provider == "" || way.Name == from.Provider {
				ways = append(ways, way)
			}
		}
		if len(names) > 0 {
			break
		}
	}
	switch {
	case len(names) == 0:
		return Connection{}, errors.New("its profile names no access provider")
	case len(ways) == 0:
		return Connection{}, fmt.Errorf("its profile has no access provider %q, only %s", from.Provider, orNone(names))
	case len(ways) > 1:
		return Connection{}, fmt.Errorf("its profile has several access providers, %s: name one", orNone(names))
	}
	way := ways[0].Cluster
	c := Connection{Host: way.Server, ClusterCACertificate: string(way.CertificateAuthorityData), TLSServerName: way.TLSServerName, ProxyURL: way.ProxyURL, Exec: from.Exec}
	if way.InsecureSkipTLSVerify {
		c.Insecure = &way.InsecureSkipTLSVerify
	}
	return c, nil
}

// clusterOf is what a profile says of its cluster.
func clusterOf(profile *unstructured.Unstructured) fleet.Cluster {
	c := fleet.Cluster{Name: profile.GetName(), Labels: maps.Clone(profile.GetLabels()), Properties: map[string]string{}}
	properties, _, _ := unstructured.NestedSlice(profile.Object, "status", "properties")
	for _, entry := range properties {
		object, _ := entry.(map[string]any)
		name, _ := object["name"].(string)
		value, _ := object["value"].(string)
		c.Properties[name] = value
	}
	return c
}

// ask contacts clusters, all at once, for what identifies them. Those of which the connection cannot be used are left out.
func (p *Pool) ask(ctx context.Context, own map[string]Connection, known map[string]fleet.Cluster) (Listing, error) {
	var out Listing
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	for name, connection := range own {
		c := known[name]
		c.Name, c.Mode, c.Reachable = name, fleet.ModeActive, true
		wg.Go(func() {
			err := p.askOne(ctx, connection, &c)
			mu.Lock()
			defer mu.Unlock()
			var unknown *UnknownError
			var silent *UnreachableError
			switch {
			case errors.As(err, &unknown):
				errs = append(errs, err)
			case errors.As(err, &silent):
				c.Reachable = false
				out.silent(name, silent.Error())
				out.Clusters = append(out.Clusters, c)
			case err != nil:
				out.leave(name, err.Error())
			default:
				out.Clusters = append(out.Clusters, c)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(out.Clusters, func(a, b fleet.Cluster) int { return cmp.Compare(a.Name, b.Name) })
	return out, errors.Join(errs...)
}

func (p *Pool) askOne(ctx context.Context, own Connection, c *fleet.Cluster) error {
	resolved, err := p.resolve(c.Name, own, listedPlace, true)
	if err != nil {
		return err
	}
	c.Access = resolved.access()
	client, err := p.Client(ctx, c.Name, c.Access)
	if err != nil {
		return err
	}
	if c.UID, err = client.UID(ctx); err != nil {
		return err
	}
	v, err := client.Version(ctx)
	c.KubernetesVersion, c.Minor, c.Platform = v.Git, v.Minor, v.Platform
	return err
}
