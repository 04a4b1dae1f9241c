package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The defaults of a Config.
const (
	DefaultConnectTimeout = 5 * time.Second
	DefaultMaxInFlight    = 16
)

// LevelTrace is the level of the entries that report single requests.
const LevelTrace = slog.LevelDebug - 4

// Log receives log entries. Fields never contain a credential, a header or a body.
type Log func(ctx context.Context, level slog.Level, message string, fields map[string]any)

// Config is what the provider's configuration says about connections.
type Config struct {
	// Connections are the provider's connections by cluster name.
	Connections map[string]Connection
	// UnknownConnections are names whose connection is not wholly known yet; ConnectionsUnknown says that not even
	// the names are.
	UnknownConnections map[string]bool
	ConnectionsUnknown bool
	// Kubeconfigs are kubeconfig texts by cluster name, with unknown ones as above.
	Kubeconfigs        map[string]string
	UnknownKubeconfigs map[string]bool
	KubeconfigsUnknown bool
	// KubeconfigPaths are the files whose contexts are looked into last.
	KubeconfigPaths        []string
	KubeconfigPathsUnknown bool
	// AllUnknown says that nothing is known yet.
	AllUnknown bool

	// Identity is the namespace whose UID identifies a cluster; empty is kube-system.
	Identity string
	// ConnectTimeout is how long a cluster may take to answer first.
	ConnectTimeout time.Duration
	// UnreachableAfter is for how long a cluster that does not answer is asked again; 0 asks once.
	UnreachableAfter time.Duration
	// MaxInFlight bounds the requests in flight per cluster.
	MaxInFlight int
	// UserAgent is how requests introduce themselves.
	UserAgent string
	// Log receives log entries; nil drops them.
	Log Log
}

// Pool holds the clients of a process: one per cluster and connection, each with one verdict on whether it works. It is
// safe for concurrent use.
type Pool struct {
	cfg    Config
	files  files
	scouts scouts

	mu       sync.Mutex
	byAccess map[string]*entry
	byTarget map[string]*entry
}

// entry is a client in the making, or made.
type entry struct {
	done   chan struct{}
	client *Client
	err    error
	// hub is the hub that was asked, for a cluster behind one.
	hub *Client
}

// NewPool makes a pool. It contacts nobody.
func NewPool(cfg Config) *Pool {
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = DefaultMaxInFlight
	}
	if cfg.Identity == "" {
		cfg.Identity = metav1.NamespaceSystem
	}
	if cfg.Log == nil {
		cfg.Log = func(context.Context, slog.Level, string, map[string]any) {}
	}
	return &Pool{cfg: cfg, byAccess: map[string]*entry{}, byTarget: map[string]*entry{}}
}

// Client returns the client for a cluster, by the access text that Resolve gave for it, now or in an earlier run. The
// provider's connections and kubeconfigs are merged with it as Resolve merges them with the resource's own connection.
//
// The first call for a connection probes the cluster within the connect timeout. The verdict, good or bad, holds for
// the process: forty sets do not wait forty times for a dead site. Besides Resolve's errors it returns
// *MissingCredentialsError, *UnreachableError, *CredentialsError and *CertificateError.
func (p *Pool) Client(ctx context.Context, name, access string) (*Client, error) {
	e, err := p.entry(ctx, name, access)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.done:
		return e.client, e.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Probe contacts all the clusters at once, given their access texts by name, and returns the errors of those that
// cannot be worked with. What it finds out is what Client returns from then on.
func (p *Pool) Probe(ctx context.Context, access map[string]string) map[string]error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed := map[string]error{}
	for name, text := range maps.All(access) {
		wg.Go(func() {
			if _, err := p.Client(ctx, name, text); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = err
			}
		})
	}
	wg.Wait()
	return failed
}

// Verdict is what the first contact by a connection found, as far as there was one: it contacts nobody. It is nil as
// well when the contact went well.
func (p *Pool) Verdict(name, access string) error {
	m, err := p.merge(name, access)
	if err != nil {
		return err
	}
	key, err := targetKey(name, m.Connection)
	if err != nil {
		return err
	}
	p.mu.Lock()
	e := p.byTarget[key]
	p.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}

// ConnectTimeout is how long a cluster may take to answer first.
func (p *Pool) ConnectTimeout() time.Duration { return p.cfg.ConnectTimeout }

// Forget drops the verdicts on a cluster, so that the next call for its client probes it again.
func (p *Pool) Forget(name string) {
	var forgotten []*entry
	p.mu.Lock()
	for _, entries := range []map[string]*entry{p.byAccess, p.byTarget} {
		for key := range entries {
			if strings.HasPrefix(key, joinKey(name, "")) {
				forgotten = append(forgotten, entries[key])
				delete(entries, key)
			}
		}
	}
	p.mu.Unlock()
	// This may have to wait until a hub has answered, which must hold up nobody else.
	for _, e := range forgotten {
		e.forgetFleet()
	}
}

// entry finds the client for an access text, or begins to make it.
func (p *Pool) entry(ctx context.Context, name, access string) (*entry, error) {
	accessKey := joinKey(name, access)
	p.mu.Lock()
	e := p.byAccess[accessKey]
	p.mu.Unlock()
	if e != nil {
		return e, nil
	}
	m, err := p.merge(name, access)
	if err != nil {
		return nil, err
	}
	key, err := targetKey(name, m.Connection)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e = p.byTarget[key]; e == nil {
		e = &entry{done: make(chan struct{})}
		p.byTarget[key] = e
		go func() {
			defer close(e.done)
			patience := time.AfterFunc(p.cfg.ConnectTimeout/silence, func() { p.scout(m.Connection) })
			defer patience.Stop()
			// The verdict is for everybody, so the first caller's cancellation must not be part of it.
			e.client, e.err = p.connect(context.WithoutCancel(ctx), name, m.Connection)
			if m.OCM != nil {
				e.hub, _ = p.Client(context.WithoutCancel(ctx), m.OCM.Hub, m.OCM.Access)
			}
		}()
	}
	p.byAccess[accessKey] = e
	return e, nil
}

// merge joins an access text with what the provider's configuration says today.
func (p *Pool) merge(name, access string) (merged, error) {
	a, err := ParseAccess(access)
	if err != nil {
		return merged{}, &InvalidError{Cluster: name, Place: accessPlace, Problem: err.Error()}
	}
	m, err := p.resolve(name, a.Connection, accessPlace, a.OwnHost)
	if err != nil {
		return merged{}, err
	}
	if missing := m.missing(a); len(missing) > 0 {
		return merged{}, &MissingCredentialsError{Cluster: name, Host: m.Host, Missing: missing}
	}
	return m, nil
}

// connect makes a client and finds out whether it works.
func (p *Pool) connect(ctx context.Context, name string, c Connection) (*Client, error) {
	if c.OCM != nil {
		return p.connectThrough(ctx, name, *c.OCM)
	}
	client, err := p.newClient(name, c)
	if err != nil {
		return nil, err
	}
	if err := p.probe(ctx, client); err != nil {
		p.cfg.Log(ctx, slog.LevelInfo, "cluster cannot be worked with", map[string]any{"cluster": name, "error": err.Error()})
		return nil, err
	}
	p.cfg.Log(ctx, slog.LevelDebug, "connected", map[string]any{"cluster": name, "host": c.Host, "version": client.version.Git})
	return client, nil
}

// leastProbes is how often a cluster is asked at least that is asked for some time.
const leastProbes = 3

// probe asks a cluster for as long as the configuration says: a network that is down for a moment is no cluster that is.
func (p *Pool) probe(ctx context.Context, client *Client) error {
	start := time.Now()
	for n := 1; ; n++ {
		asking, cancel := p.unlessSilent(ctx, client.target.conn)
		err := client.probe(asking, p.cfg.ConnectTimeout)
		cancel()
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || p.cfg.UnreachableAfter == 0 {
			return err
		}
		if time.Since(start) >= p.cfg.UnreachableAfter && n >= leastProbes {
			return &UnreachableError{Cluster: unreachable.Cluster, Host: unreachable.Host,
				Err: fmt.Errorf("%w (asked %d times in %s)", unreachable.Err, n, p.cfg.UnreachableAfter)}
		}
		time.Sleep(min(p.cfg.UnreachableAfter/leastProbes, DefaultConnectTimeout))
	}
}

// targetKey identifies a connection, secrets included: different access texts may come to the same one, which is one
// client.
func targetKey(name string, c Connection) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return joinKey(name, string(text)), nil
}

func joinKey(name, rest string) string { return name + "\x00" + rest }
