package deploy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// site is one cluster opened for one set.
type site struct {
	runner  *Runner
	set     Set
	name    string
	client  *cluster.Client
	server  transport
	store   *inventory.Store
	seen    *observation
	kindsMu sync.Mutex
	kinds   map[string]Served
	// applied is what this run has applied: health is judged of that and of nothing older.
	applied map[fleet.ObjectKey]health.At
	// coming are the namespaces that the plan is to create, or that the apply has created: nothing is in them yet.
	coming map[string]bool
	// skips are the set's objects that the cluster is not to have, because it does not serve their kinds.
	skips []skipped
	// unknown are write-only objects of a revision that is held, whose content was another version's.
	unknown []fleet.ObjectKey
	// contents are what is to be kept of revisions beside the parent that begin has written, and former is what that parent was.
	contents map[string]inventory.Content
	former   *inventory.Parent
	// hold is the run's hold on the set, from begin to end.
	hold *hold
	// also is the set under the name that an interrupted move was to give it.
	also *site
	// settled tells that the run before this one ended well, so that state knows all there is.
	settled bool
}

// OtherClusterError says that a name now leads to another cluster than the one the set was put on.
type OtherClusterError struct {
	Found, Expected string
	// Identity says whose uid it is, as cluster.Client.Identity does.
	Identity string
}

func (e *OtherClusterError) Error() string {
	return fmt.Sprintf("another cluster answers: its uid (of %s) is %s, expected %s; nothing is written to it. "+
		"If the cluster was rebuilt, accept it with: terraform apply -replace of its fleet_cluster", e.Identity, e.Found, e.Expected)
}

// open connects to the cluster and makes sure that it is the one it is taken for.
func (r *Runner) open(ctx context.Context, set Set, c fleet.Cluster, known Applied) (*site, error) {
	client, err := r.pool.Client(ctx, c.Name, c.Access)
	if err != nil {
		return nil, err
	}
	if c.UID != "" {
		uid, err := client.UID(ctx)
		if err != nil {
			return nil, err
		}
		if uid != c.UID {
			return nil, &OtherClusterError{Found: uid, Expected: c.UID, Identity: client.Identity()}
		}
	}
	if known.From != "" && set.Takeover == "" {
		set.Takeover = known.From
	}
	server, err := r.transport(ctx, client, set)
	if err != nil {
		return nil, err
	}
	s := &site{
		runner: r, set: set, name: c.Name, client: client,
		server: server,
		store:  server.store(set),
		seen:   r.observation(set, c.Name),
		kinds:  map[string]Served{}, applied: map[fleet.ObjectKey]health.At{},
	}
	for k, v := range known.Kinds {
		s.kinds[k] = v
	}
	return s, nil
}

// managerPrefix begins the name of every set's field manager.
const managerPrefix = "fleet:"

// manager is the field manager of a set.
func manager(set string) string { return managerPrefix + set }

// speak makes the clients for objects of any kind and for the inventory; they share the cluster's connections and limits.
func speak(client *cluster.Client) (rest.Interface, typedcorev1.CoreV1Interface, error) {
	config := client.Config()
	core, err := typedcorev1.NewForConfigAndClient(config, client.HTTPClient())
	if err != nil {
		return nil, nil, fmt.Errorf("client: %w", err)
	}
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	config.GroupVersion = &schema.GroupVersion{}
	objects, err := rest.RESTClientForConfigAndClient(config, client.HTTPClient())
	if err != nil {
		return nil, nil, fmt.Errorf("client: %w", err)
	}
	return objects, core, nil
}

// problems are those of one object, or of the cluster as a whole, in the words of the cluster package where the cluster
// as a whole is the problem.
func (s *site) problems(object *fleet.ObjectKey, err error) Problems {
	if err == nil {
		return nil
	}
	return problems(s.name, object, s.client.Classify(err))
}

// lost tells whether the error means that the cluster could not be asked, as against an answer.
func lost(err error) bool {
	var unreachable *cluster.UnreachableError
	var other *OtherClusterError
	return errors.As(err, &unreachable) || errors.As(err, &other)
}

// resource tells where the kind is served: from what is known of it, else by discovery.
func (s *site) resource(ctx context.Context, kind schema.GroupVersionKind) (ssa.Resource, error) {
	s.kindsMu.Lock()
	defer s.kindsMu.Unlock()
	if served, ok := s.kinds[kind.GroupKind().String()]; ok && (kind.Version == "" || served.Version == kind.Version) {
		s.runner.noteServing(s.name, kind)
		return served.at(kind.GroupKind()), nil
	}
	served, guessed, err := s.server.serve(ctx, kind)
	if err != nil || guessed {
		return served.at(kind.GroupKind()), err
	}
	s.kinds[kind.GroupKind().String()] = served
	s.runner.noteServing(s.name, kind)
	return served.at(kind.GroupKind()), nil
}

// knows tells whether it is known, and not only guessed, where the kind is served.
func (s *site) knows(kind schema.GroupKind) bool {
	s.kindsMu.Lock()
	defer s.kindsMu.Unlock()
	_, known := s.kinds[kind.String()]
	return known
}

// forgetKind has the kind discovered anew: what was noted of it no longer holds.
func (s *site) forgetKind(kind schema.GroupKind) {
	s.kindsMu.Lock()
	defer s.kindsMu.Unlock()
	delete(s.kinds, kind.String())
}

func (v Served) at(kind schema.GroupKind) ssa.Resource {
	return ssa.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: kind.Group, Version: v.Version, Resource: v.Resource},
		Kind:                 kind.Kind,
		Namespaced:           v.Namespaced,
	}
}

// parent reads the inventory, once per process unless again is set.
func (s *site) parent(ctx context.Context, again bool) (*inventory.Parent, error) {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if s.seen.read && !again {
		return s.seen.parent, nil
	}
	p, err := s.store.Read(ctx)
	if err != nil {
		return nil, err
	}
	s.seen.parent, s.seen.read = p, true
	return p, nil
}
