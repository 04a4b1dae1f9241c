package cluster

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Resolved is the connection of one cluster, merged from all places that name it.
type Resolved struct {
	name string
	m    merged
}

// Name is the cluster's name.
func (r Resolved) Name() string { return r.name }

// Host is the URL of the API server.
func (r Resolved) Host() string { return r.m.Host }

// Access is the connection without its secrets, as one compact and deterministic JSON text. It also names which secret
// parts existed, so that a later run can tell when they have left the configuration. Of a kubeconfig file it records
// where the context is, not what it says.
func (r Resolved) Access() string { return r.m.access() }

// Resolve looks a cluster's connection up. The provider's connections, the provider's kubeconfigs and the resource's
// own connection are merged attribute by attribute, the earlier one winning; a context of the cluster's name in the
// kubeconfig files counts only where none of these names the cluster.
//
// It returns an *UnknownError when a source the result could depend on is not known yet, a *NotConfiguredError when no
// place names the cluster, and an *InvalidError when what was found cannot be used.
func (p *Pool) Resolve(name string, own Connection) (Resolved, error) {
	m, err := p.resolve(name, own, ownPlace, true)
	if err != nil {
		return Resolved{}, err
	}
	return Resolved{name: name, m: m}, nil
}

const (
	ownPlace    = "the resource's connect"
	accessPlace = "the recorded access"
)

func (p *Pool) resolve(name string, own Connection, place string, ownHostWins bool) (merged, error) {
	if err := p.knownFor(name); err != nil {
		return merged{}, err
	}
	layers, err := p.layers(name, own, place)
	if err != nil {
		return merged{}, err
	}
	for _, l := range layers {
		problems := l.conn.checkTexts()
		if !l.content {
			problems = l.conn.Check()
		}
		for _, problem := range problems {
			return merged{}, l.invalid(name, problem.Attribute, problem.Message)
		}
	}
	if ocm, err := through(name, layers); ocm != nil || err != nil {
		if err != nil {
			return merged{}, err
		}
		return p.resolveHub(name, *ocm)
	}
	m := merge(layers, ownHostWins)
	for _, problem := range m.checkComplete() {
		return merged{}, layers[0].invalid(name, problem.Attribute, problem.Message)
	}
	return m, nil
}

// layers collects what the places say about a cluster, in the order of their precedence. A place that points to a
// kubeconfig file is followed by what that file says.
func (p *Pool) layers(name string, own Connection, ownPlace string) ([]layer, error) {
	first, inConnections := p.cfg.Connections[name]
	text, inKubeconfigs := p.cfg.Kubeconfigs[name]
	if !inConnections && !inKubeconfigs && own.IsZero() {
		found, err := p.byContext(name)
		return []layer{found}, err
	}
	var layers []layer
	pointed := false
	if inConnections {
		l := layer{place: "provider connections[" + strconv.Quote(name) + "]", conn: first}
		content, err := p.contentOf(name, l, own)
		if err != nil {
			return nil, err
		}
		pointed = len(content) > 0
		layers = append(append(layers, l), content...)
	}
	if inKubeconfigs {
		l := layer{place: "provider kubeconfigs[" + strconv.Quote(name) + "]", content: true}
		var err error
		if l.conn, err = kubeconfigText(text); err != nil {
			return nil, l.invalid(name, "", err.Error())
		}
		layers = append(layers, l)
	}
	if !own.IsZero() {
		if isFalse(first.InCluster) {
			own.InCluster = nil
		}
		l := layer{place: ownPlace, conn: own, own: true}
		layers = append(layers, l)
		// Where the first place pointed somewhere, that stands for the own place, too.
		if !pointed {
			content, err := p.contentOf(name, l, Connection{})
			if err != nil {
				return nil, err
			}
			layers = append(layers, content...)
		}
	}
	return layers, nil
}

// knownFor is an *UnknownError when what the provider says about a cluster may yet be anything. Falling through to a
// later place would plan against the wrong cluster.
func (p *Pool) knownFor(name string) error {
	unknown := func(source string) error { return &UnknownError{Cluster: name, Source: source} }
	switch {
	case p.cfg.AllUnknown:
		return unknown("the provider's configuration")
	case p.cfg.ConnectionsUnknown:
		return unknown("provider connections")
	case p.cfg.UnknownConnections[name]:
		return unknown("provider connections[" + strconv.Quote(name) + "]")
	case p.cfg.KubeconfigsUnknown:
		return unknown("provider kubeconfigs")
	case p.cfg.UnknownKubeconfigs[name]:
		return unknown("provider kubeconfigs[" + strconv.Quote(name) + "]")
	}
	return nil
}

// Unknown tells whether the connection of a cluster that no resource describes may yet be anything.
func (p *Pool) Unknown(name string) bool {
	if p.knownFor(name) != nil {
		return true
	}
	_, inConnections := p.cfg.Connections[name]
	_, inKubeconfigs := p.cfg.Kubeconfigs[name]
	return p.cfg.KubeconfigPathsUnknown && !inConnections && !inKubeconfigs
}

// contentOf reads what a place points to: a kubeconfig's context or the pod's environment. Where the place names only
// half of path and context, rest names the other half. It is empty when the place points nowhere.
func (p *Pool) contentOf(name string, from layer, rest Connection) ([]layer, error) {
	c := from.conn
	l := layer{place: from.place, own: from.own, content: true, elsewhere: true}
	var err error
	if isTrue(c.InCluster) {
		if l.conn, err = inCluster(); err != nil {
			return nil, from.invalid(name, "in_cluster", err.Error())
		}
		l.conn.InCluster = c.InCluster
		return []layer{l}, nil
	}
	if c.KubeconfigPath == "" && c.Context == "" {
		return nil, nil
	}
	attribute, paths := "context", p.cfg.KubeconfigPaths
	if path := either(c.KubeconfigPath, rest.KubeconfigPath); path != "" {
		attribute, paths = "kubeconfig_path", filepath.SplitList(path)
	} else if p.cfg.KubeconfigPathsUnknown {
		return nil, &UnknownError{Cluster: name, Source: "provider kubeconfig_paths"}
	}
	if len(paths) == 0 {
		return nil, from.invalid(name, attribute, "there is a context, but neither a kubeconfig_path nor the provider's kubeconfig_paths")
	}
	if l.conn, err = p.files.kubeconfig(paths, either(c.Context, rest.Context)); err != nil {
		return nil, from.invalid(name, attribute, err.Error())
	}
	return []layer{l}, nil
}

// byContext looks for a context of the cluster's name in the provider's kubeconfig files.
func (p *Pool) byContext(name string) (layer, error) {
	if p.cfg.KubeconfigPathsUnknown {
		return layer{}, &UnknownError{Cluster: name, Source: "provider kubeconfig_paths"}
	}
	invalid := func(err error) error {
		return &InvalidError{Cluster: name, Place: "provider kubeconfig_paths", Problem: err.Error()}
	}
	config, _, err := p.files.load(p.cfg.KubeconfigPaths)
	if err != nil {
		return layer{}, invalid(err)
	}
	if config.Contexts[name] == nil {
		notFound := &NotConfiguredError{
			Cluster:     name,
			Connections: slices.Sorted(maps.Keys(p.cfg.Connections)),
			Kubeconfigs: slices.Sorted(maps.Keys(p.cfg.Kubeconfigs)),
		}
		if notFound.Contexts, err = contextsAt(p.cfg.KubeconfigPaths); err != nil {
			return layer{}, invalid(err)
		}
		names := slices.Concat(notFound.Connections, notFound.Kubeconfigs, slices.Sorted(maps.Keys(config.Contexts)))
		notFound.Suggestion = fleet.Closest(name, names)
		return layer{}, notFound
	}
	l := layer{place: "the context " + strconv.Quote(name) + " in provider kubeconfig_paths", content: true, elsewhere: true}
	if l.conn, err = p.files.kubeconfig(p.cfg.KubeconfigPaths, name); err != nil {
		return layer{}, invalid(err)
	}
	return l, nil
}

// missing names the secret parts that an access text remembers and the configuration no longer provides.
func (m *merged) missing(a Access) []string {
	l, ok := m.layerOf(partCredentials)
	fromProvider := ok && !l.own
	var missing []string
	for _, name := range a.Credentials {
		gone := false
		switch name {
		case SecretProxyUser:
			l, ok := m.layerOf(partProxy)
			gone = ok && l.own
		case SecretExecEnv:
			gone = !fromProvider && !m.hasEnv(a.ExecEnv)
		default:
			gone = !fromProvider && !slices.Contains(m.Secrets(), name)
		}
		if gone {
			missing = append(missing, name)
		}
	}
	return missing
}

// hasEnv tells whether exec still gets the environment variables it got, be it from this process.
func (m *merged) hasEnv(names []string) bool {
	if m.Exec == nil {
		return false
	}
	for _, name := range names {
		_, given := m.Exec.Env[name]
		if _, inherited := os.LookupEnv(name); !given && !inherited {
			return false
		}
	}
	return len(names) > 0 || len(m.Exec.Env) > 0
}

// either is the first text that is not empty.
func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func isFalse(b *bool) bool { return b != nil && !*b }
