package cluster

import (
	"maps"
	"net/url"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// Connection says how to reach a cluster and as whom. Every part is optional, since several places contribute to one
// connection. The JSON names are the attribute names of the configuration.
type Connection struct {
	// Host is the URL of the API server.
	Host string `json:"host,omitempty"`
	// ClusterCACertificate are the PEM certificates that the server's certificate must chain to.
	ClusterCACertificate string `json:"cluster_ca_certificate,omitempty"`
	// TLSServerName is the name expected in the server's certificate, when it is not the host's.
	TLSServerName string `json:"tls_server_name,omitempty"`
	// Insecure switches the verification of the server's certificate off.
	Insecure *bool `json:"insecure,omitempty"`
	// ProxyURL is the proxy to go through; what it says about a user is secret.
	ProxyURL string `json:"proxy_url,omitempty"`
	// Token is a bearer token; secret.
	Token string `json:"token,omitempty"`
	// TokenFile is a file with a bearer token, read again as it changes.
	TokenFile string `json:"token_file,omitempty"`
	// ClientCertificate and ClientKey are PEM texts; secret.
	ClientCertificate string `json:"client_certificate,omitempty"`
	ClientKey         string `json:"client_key,omitempty"`
	// Exec is a program that prints credentials.
	Exec *Exec `json:"exec,omitempty"`
	// KubeconfigPath and Context name a context in a kubeconfig file (or several, separated as in KUBECONFIG).
	KubeconfigPath string `json:"kubeconfig_path,omitempty"`
	Context        string `json:"context,omitempty"`
	// InCluster uses the service account of the pod this process runs in.
	InCluster *bool `json:"in_cluster,omitempty"`

	// OCM says that the cluster is reached through a hub of Open Cluster Management. It excludes all else.
	OCM *OCM `json:"ocm,omitempty"`

	// Username and Password are for proxies in front of the API server that want them; only kubeconfigs can say so.
	// The password is secret.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// Impersonate is whom to act as; only kubeconfigs can say so.
	Impersonate *Impersonation `json:"impersonate,omitempty"`
}

// Exec is a client-go credential plugin.
type Exec struct {
	// APIVersion is the version of client.authentication.k8s.io the plugin speaks.
	APIVersion string `json:"api_version,omitempty"`
	// Command is the program, looked up on PATH unless it is a path.
	Command string `json:"command,omitempty"`
	// Args are its arguments.
	Args []string `json:"args,omitempty"`
	// Env are further environment variables; the values are secret.
	Env map[string]string `json:"env,omitempty"`
	// InstallHint is shown when the program is not there; only kubeconfigs can say so.
	InstallHint string `json:"install_hint,omitempty"`
	// ProvideClusterInfo passes the cluster's address and CA on to the plugin; only kubeconfigs can say so.
	ProvideClusterInfo bool `json:"provide_cluster_info,omitempty"`

	// config is the cluster extension that goes with ProvideClusterInfo.
	config runtime.Object
}

// Impersonation is the identity to act as.
type Impersonation struct {
	User   string              `json:"user,omitempty"`
	UID    string              `json:"uid,omitempty"`
	Groups []string            `json:"groups,omitempty"`
	Extra  map[string][]string `json:"extra,omitempty"`
}

// The names of the secret parts of a connection, as Secrets and access texts list them.
const (
	SecretToken             = "token"
	SecretClientCertificate = "client_certificate"
	SecretClientKey         = "client_key"
	SecretExecEnv           = "exec_env"
	SecretPassword          = "password"
	SecretProxyUser         = "proxy_user"
)

// IsZero tells whether the connection says nothing at all.
func (c Connection) IsZero() bool {
	return c.Host == "" && c.ClusterCACertificate == "" && c.TLSServerName == "" && c.Insecure == nil && c.ProxyURL == "" &&
		c.Token == "" && c.TokenFile == "" && c.ClientCertificate == "" && c.ClientKey == "" && c.Exec == nil &&
		c.KubeconfigPath == "" && c.Context == "" && c.InCluster == nil &&
		c.Username == "" && c.Password == "" && c.Impersonate == nil && c.OCM == nil
}

// Secrets names the secret parts that are set.
func (c Connection) Secrets() []string {
	var names []string
	for _, part := range []struct {
		name string
		set  bool
	}{
		{SecretToken, c.Token != ""},
		{SecretClientCertificate, c.ClientCertificate != ""},
		{SecretClientKey, c.ClientKey != ""},
		{SecretExecEnv, c.Exec != nil && len(c.Exec.Env) > 0},
		{SecretPassword, c.Password != ""},
		{SecretProxyUser, withoutUser(c.ProxyURL) != c.ProxyURL},
	} {
		if part.set {
			names = append(names, part.name)
		}
	}
	return names
}

// withoutSecrets drops every secret part; of exec's environment not even the names remain.
func (c Connection) withoutSecrets() Connection {
	c.Token, c.ClientCertificate, c.ClientKey, c.Password = "", "", "", ""
	c.ProxyURL = withoutUser(c.ProxyURL)
	if c.Exec != nil {
		e := *c.Exec
		e.Env = nil
		c.Exec = &e
	}
	return c
}

// secretValues are the texts that must not appear in any message.
func (c Connection) secretValues() []string {
	values := []string{c.Token, c.ClientKey, c.Password, c.ClientCertificate}
	if c.Exec != nil {
		values = slices.AppendSeq(values, maps.Values(c.Exec.Env))
	}
	if u, err := url.Parse(c.ProxyURL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		values = append(values, u.User.String(), password)
	}
	return values
}

// String prints the connection without its secrets, so that it is safe in any message.
func (c Connection) String() string { return accessText(c, nil, false) }

// GoString is String, so that %#v is safe, too.
func (c Connection) GoString() string { return c.String() }

// withoutUser drops the userinfo of a URL. A text that is no URL is dropped whole: nobody knows what is secret in it.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	if u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}

func isTrue(b *bool) bool { return b != nil && *b }
