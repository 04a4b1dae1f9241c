package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Access is what an access text says: a connection without its secrets, and which secrets there were.
type Access struct {
	Connection Connection
	// ExecEnv are the names of the environment variables exec was given.
	ExecEnv []string
	// Credentials names the secret parts that existed, as Connection.Secrets does.
	Credentials []string
	// OwnHost is set when the resource's host displaced a loopback address in a kubeconfig.
	OwnHost bool
}

// accessJSON is the text's shape: exec shadows the embedded connection's, because of env only the names are kept.
type accessJSON struct {
	Connection
	Exec        *accessExec `json:"exec,omitempty"`
	OwnHost     bool        `json:"own_host,omitempty"`
	Credentials []string    `json:"credentials,omitempty"`
}

type accessExec struct {
	Exec
	Env []string `json:"env,omitempty"`
}

// accessText prints a connection without its secrets: compact, and the same text for the same connection.
func accessText(c Connection, credentials []string, ownHost bool) string {
	text := accessJSON{Connection: c.withoutSecrets(), Credentials: credentials, OwnHost: ownHost}
	if c.Exec != nil {
		text.Exec = &accessExec{Exec: *text.Connection.Exec, Env: slices.Sorted(maps.Keys(c.Exec.Env))}
	}
	data, err := json.Marshal(text)
	if err != nil {
		// Strings, bools, slices and maps of strings always marshal.
		panic(fmt.Sprintf("access text: %v", err))
	}
	return string(data)
}

// ParseAccess reads an access text. An empty text is an access that says nothing.
func ParseAccess(text string) (Access, error) {
	if text == "" {
		return Access{}, nil
	}
	var parsed accessJSON
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return Access{}, fmt.Errorf("the access text does not parse: %w", err)
	}
	a := Access{Connection: parsed.Connection, Credentials: parsed.Credentials, OwnHost: parsed.OwnHost}
	if parsed.Exec != nil {
		e := parsed.Exec.Exec
		a.Connection.Exec, a.ExecEnv = &e, parsed.Exec.Env
	}
	return a, nil
}

// access is the text for a merged connection. What a kubeconfig file or the pod's environment said is left out, since
// it can be read again there: rotating certificates in a file must not change any state.
func (m *merged) access() string {
	if m.OCM != nil {
		return accessText(Connection{OCM: m.OCM}, nil, false)
	}
	c, secrets := m.Connection, m.Secrets()
	elsewhere := func(part string) bool {
		l, ok := m.layerOf(part)
		return ok && l.elsewhere
	}
	if elsewhere(partHost) {
		c.Host = ""
	}
	if elsewhere(partTrust) {
		c.ClusterCACertificate, c.Insecure = "", nil
	}
	if elsewhere(partServerName) {
		c.TLSServerName = ""
	}
	if elsewhere(partProxy) {
		c.ProxyURL = ""
		secrets = without(secrets, SecretProxyUser)
	}
	if elsewhere(partImpersonate) {
		c.Impersonate = nil
	}
	if elsewhere(partExecEnv) {
		secrets = without(secrets, SecretExecEnv)
	}
	if elsewhere(partCredentials) {
		c.TokenFile, c.Exec, c.Username = "", nil, ""
		secrets = without(secrets, SecretToken, SecretClientCertificate, SecretClientKey, SecretPassword)
	}
	return accessText(c, secrets, m.ownHost)
}

func without(names []string, drop ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(drop, name) })
}
