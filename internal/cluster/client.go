package cluster

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
)

// askTimeout bounds the few questions this package asks by itself, which nobody wants to wait for for ever.
const askTimeout = 30 * time.Second

// Client works on one cluster. It is safe for concurrent use, and all its parts share one HTTP client with one limit on
// the requests in flight.
type Client struct {
	name     string
	target   target
	config   *rest.Config
	http     *http.Client
	dynamic  dynamic.Interface
	metadata metadata.Interface
	version  Version
	identity string
	log      Log

	uidMu sync.Mutex
	uid   string

	// hub is the client of the hub through which the cluster is reached, and managed what the hub says of it; nil where it is reached
	// directly.
	hub      *Client
	managed  *clusterv1.ManagedCluster
	executor string
	// fleet is what this cluster says, as a hub, of its managed clusters.
	fleetMu sync.Mutex
	fleet   map[string]*clusterv1.ManagedCluster

	discoveryMu sync.Mutex
	discovered  *Discovery
}

// Version is what a cluster runs.
type Version struct {
	// Git is the whole version, such as "v1.36.3".
	Git string
	// Minor is the minor version, such as "1.36".
	Minor string
	// Platform is the API server's platform, such as "linux/amd64".
	Platform string
}

// Name is the cluster's name in the fleet.
func (c *Client) Name() string { return c.name }

// Host is the URL of the API server.
func (c *Client) Host() string { return c.target.host }

// Dynamic works on whole objects.
func (c *Client) Dynamic() dynamic.Interface { return c.dynamic }

// Metadata works on objects' metadata only.
func (c *Client) Metadata() metadata.Interface { return c.metadata }

// Config and HTTPClient are for clients of other kinds; they share this client's connections and limits.
func (c *Client) Config() *rest.Config { return rest.CopyConfig(c.config) }

// HTTPClient goes with Config.
func (c *Client) HTTPClient() *http.Client { return c.http }

// Version is the cluster's version, as found by the first contact.
func (c *Client) Version(context.Context) (Version, error) { return c.version, nil }

// Identity says whose UID identifies the cluster, such as "namespace kube-system".
func (c *Client) Identity() string {
	if c.managed != nil {
		return "ManagedCluster " + c.managed.Name
	}
	return "namespace " + c.identity
}

// UID is the UID of the namespace that identifies the cluster. Unless the pool says otherwise it is kube-system, which is as old
// as the cluster and survives everything but a reinstallation. It is asked for once per process. A cluster that is reached through a hub is
// identified by its ManagedCluster there.
func (c *Client) UID(ctx context.Context) (string, error) {
	if c.managed != nil {
		return string(c.managed.UID), nil
	}
	c.uidMu.Lock()
	defer c.uidMu.Unlock()
	if c.uid != "" {
		return c.uid, nil
	}
	ctx, done := asking(ctx)
	defer done()
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	found, err := c.metadata.Resource(namespaces).Get(ctx, c.identity, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", &NoIdentityError{Cluster: c.name, Host: c.target.host, Namespace: c.identity}
	}
	if err != nil {
		return "", c.explain(ctx, err)
	}
	c.uid = string(found.UID)
	return c.uid, nil
}

// Classify turns an error of a request into this package's typed errors, where it says that the cluster as a whole
// cannot be worked with: nobody answers, the certificate or the credentials are not accepted. All other errors, such
// as what an API server says about one object, come back as they are.
func (c *Client) Classify(err error) error { return c.target.classify(err) }

// asking bounds a question that this package asks by itself.
func asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, askTimeout, noAnswer{after: askTimeout})
}

// explain is Classify for the questions this package asks, where silence and being forbidden are answers about the
// cluster.
func (c *Client) explain(ctx context.Context, err error) error {
	if silence := (noAnswer{}); errors.As(context.Cause(ctx), &silence) {
		return &UnreachableError{Cluster: c.name, Host: c.target.host, Err: c.target.timedOut(err, silence)}
	}
	err = c.Classify(err)
	if apierrors.IsForbidden(err) {
		return &ForbiddenError{Cluster: c.name, Host: c.target.host, Denied: err.Error()}
	}
	return err
}

func (p *Pool) newClient(name string, conn Connection) (*Client, error) {
	c := &Client{name: name, identity: p.cfg.Identity, log: p.cfg.Log, target: target{name: name, host: conn.Host, conn: conn}}
	invalid := func(err error) error {
		return &InvalidError{Cluster: name, Place: "the merged connection", Problem: c.target.redact(err.Error())}
	}
	var err error
	if c.config, err = restConfig(conn); err != nil {
		return nil, invalid(err)
	}
	c.config.UserAgent = p.cfg.UserAgent
	c.config.ContentType = runtime.ContentTypeJSON
	// API Priority and Fairness is the server's business; a limit here only slows large fleets down.
	c.config.QPS = -1
	c.config.WarningHandlerWithContext = warnings{cluster: name, log: p.cfg.Log}
	c.config.Dial = (&net.Dialer{Timeout: p.cfg.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	c.config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &transport{next: next, cluster: name, target: c.target, slots: make(chan struct{}, p.cfg.MaxInFlight), log: p.cfg.Log}
	})
	if c.http, err = rest.HTTPClientFor(c.config); err != nil {
		return nil, invalid(err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, c.http); err != nil {
		return nil, invalid(err)
	}
	if c.metadata, err = metadata.NewForConfigAndClient(c.config, c.http); err != nil {
		return nil, invalid(err)
	}
	return c, nil
}

// restConfig lets clientcmd turn the connection into client-go's configuration, as it does for a kubeconfig.
func restConfig(c Connection) (*rest.Config, error) {
	server := &clientcmdapi.Cluster{
		Server: c.Host, TLSServerName: c.TLSServerName, ProxyURL: c.ProxyURL,
		InsecureSkipTLSVerify: isTrue(c.Insecure), CertificateAuthorityData: []byte(c.ClusterCACertificate),
	}
	user := &clientcmdapi.AuthInfo{
		Token: c.Token, TokenFile: c.TokenFile, Username: c.Username, Password: c.Password,
		ClientCertificateData: []byte(c.ClientCertificate), ClientKeyData: []byte(c.ClientKey),
	}
	if c.Impersonate != nil {
		user.Impersonate, user.ImpersonateUID = c.Impersonate.User, c.Impersonate.UID
		user.ImpersonateGroups, user.ImpersonateUserExtra = c.Impersonate.Groups, c.Impersonate.Extra
	}
	if c.Exec != nil {
		user.Exec = execConfig(c.Exec)
		if c.Exec.config != nil {
			server.Extensions = map[string]runtime.Object{execExtension: c.Exec.config}
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[onlyContext], config.AuthInfos[onlyContext] = server, user
	config.Contexts[onlyContext] = &clientcmdapi.Context{Cluster: onlyContext, AuthInfo: onlyContext}
	return clientcmd.NewNonInteractiveClientConfig(*config, onlyContext, nil, nil).ClientConfig()
}

// onlyContext names the one context, cluster and user of a configuration made here.
const onlyContext = "fleet"
