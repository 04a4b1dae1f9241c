package cluster

import (
	"maps"
	"net"
	"net/url"
	"slices"
)

// layer is what one place says.
type layer struct {
	// place names it in messages.
	place string
	conn  Connection
	// own is set for the resource's own connection, and for an access text, which stands in for it.
	own bool
	// content is set when the layer is what a kubeconfig says, not what the configuration spells out.
	content bool
	// elsewhere is set when an access text records where the layer can be read again, not what it says.
	elsewhere bool
}

// invalid says that the layer cannot be used.
func (l layer) invalid(cluster, attribute, problem string) error {
	return &InvalidError{Cluster: cluster, Place: l.place, Own: l.own, Attribute: attribute, Problem: problem}
}

// merged is the outcome of a merge, with the layer every part came from.
type merged struct {
	Connection
	layers []layer
	origin map[string]int
	// ownHost is set when the host is the resource's, though a kubeconfig before it named a loopback address.
	ownHost bool
}

// The parts of a connection that are merged as one, named for their first attribute. Insecure and CA exclude each
// other, and so do the kinds of credentials: a later place's token must not come to sit beside an earlier place's exec.
const (
	partHost        = "host"
	partTrust       = "cluster_ca_certificate"
	partServerName  = "tls_server_name"
	partProxy       = "proxy_url"
	partCredentials = "credentials"
	partExecEnv     = "exec.env"
	partImpersonate = "impersonate"
)

// merge joins what the places say, earlier ones winning. ownHostWins says whether a loopback host in a kubeconfig
// yields to the host of the own layer: a kubeconfig fetched from a node says 127.0.0.1, and only the resource knows
// what that is from here.
func merge(layers []layer, ownHostWins bool) merged {
	m := merged{layers: layers, origin: map[string]int{}}
	for i, l := range layers {
		c := l.conn
		if l.elsewhere {
			m.KubeconfigPath, m.Context, m.InCluster = c.KubeconfigPath, c.Context, c.InCluster
		}
		if m.take(partHost, i, c.Host != "") {
			m.Host = c.Host
		} else if c.Host != "" && l.own && !l.content && ownHostWins && m.hostIsPlaceholder() {
			m.Host, m.ownHost = c.Host, true
			m.origin[partHost] = i
		}
		if m.take(partTrust, i, c.ClusterCACertificate != "" || c.Insecure != nil) {
			m.ClusterCACertificate, m.Insecure = c.ClusterCACertificate, c.Insecure
		} else if c.ClusterCACertificate != "" && m.ClusterCACertificate == "" && !isTrue(m.Insecure) {
			// insecure = false says nothing about what to trust instead.
			m.ClusterCACertificate = c.ClusterCACertificate
			m.origin[partTrust] = i
		}
		if m.take(partServerName, i, c.TLSServerName != "") {
			m.TLSServerName = c.TLSServerName
		}
		if m.take(partProxy, i, c.ProxyURL != "") {
			m.ProxyURL = c.ProxyURL
		}
		if m.take(partImpersonate, i, c.Impersonate != nil) {
			m.Impersonate = c.Impersonate
		}
		m.mergeCredentials(i, c)
	}
	return m
}

// take records that layer i provides a part, if it does and none before it did.
func (m *merged) take(part string, i int, provides bool) bool {
	if !provides {
		return false
	}
	if _, taken := m.origin[part]; taken {
		return false
	}
	m.origin[part] = i
	return true
}

func (m *merged) hostIsPlaceholder() bool {
	return m.layers[m.origin[partHost]].content && isLoopback(m.Host)
}

func (m *merged) mergeCredentials(i int, c Connection) {
	has := c.Token != "" || c.TokenFile != "" || c.ClientCertificate != "" || c.ClientKey != "" || c.Exec != nil ||
		c.Username != "" || c.Password != ""
	if !has {
		return
	}
	if m.take(partCredentials, i, true) {
		m.Token, m.TokenFile, m.ClientCertificate, m.ClientKey = c.Token, c.TokenFile, c.ClientCertificate, c.ClientKey
		m.Username, m.Password = c.Username, c.Password
		if c.Exec != nil {
			e := *c.Exec
			e.Args, e.Env = slices.Clone(e.Args), maps.Clone(e.Env)
			m.Exec = &e
		}
		m.take(partExecEnv, i, c.Exec != nil && len(c.Exec.Env) > 0)
		return
	}
	// Later places only complete what the first one began: the other half of a key pair, the rest of an exec.
	if m.ClientCertificate != "" && m.ClientKey == "" {
		m.ClientKey = c.ClientKey
	} else if m.ClientKey != "" && m.ClientCertificate == "" {
		m.ClientCertificate = c.ClientCertificate
	}
	if m.Exec != nil && c.Exec != nil {
		m.mergeExec(i, c.Exec)
	}
}

func (m *merged) mergeExec(i int, e *Exec) {
	if m.Exec.Command == "" && e.Command != "" {
		m.Exec.Command, m.origin[partCredentials] = e.Command, i
		m.Exec.InstallHint, m.Exec.ProvideClusterInfo, m.Exec.config = e.InstallHint, e.ProvideClusterInfo, e.config
	}
	if m.Exec.APIVersion == "" {
		m.Exec.APIVersion = e.APIVersion
	}
	if m.Exec.Args == nil {
		m.Exec.Args = slices.Clone(e.Args)
	}
	if m.Exec.Env == nil && len(e.Env) > 0 {
		m.Exec.Env = maps.Clone(e.Env)
		m.take(partExecEnv, i, true)
	}
}

// layerOf is the layer a part came from; ok is false when no place provides it.
func (m *merged) layerOf(part string) (l layer, ok bool) {
	i, ok := m.origin[part]
	if !ok {
		return layer{}, false
	}
	return m.layers[i], true
}

// isLoopback tells whether a host is one that means something else on every machine.
func isLoopback(host string) bool {
	u, err := url.Parse(host)
	if err != nil {
		return false
	}
	name := u.Hostname()
	if name == "localhost" {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
