package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
)

// probe asks a cluster for its version and keeps the answer. A plugin that provides the credentials runs before the
// clock does: a login takes its time, which says nothing about the cluster.
func (c *Client) probe(ctx context.Context, timeout time.Duration) error {
	if c.config.ExecProvider != nil {
		if err := c.runPlugin(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, noAnswer{after: timeout})
	defer cancel()
	client, err := discovery.NewDiscoveryClientForConfigAndClient(c.config, c.http)
	if err != nil {
		return err
	}
	body, err := client.RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return c.explainProbe(c.explain(ctx, err))
	}
	var info version.Info
	if err := json.Unmarshal(body, &info); err != nil || info.GitVersion == "" {
		return c.notKubernetes("its answer to /version is no Kubernetes version")
	}
	c.version = Version{
		Git: info.GitVersion, Platform: info.Platform,
		// Some distributions append a plus to say that they changed something.
		Minor: info.Major + "." + strings.TrimRight(info.Minor, "+"),
	}
	return nil
}

// explainProbe goes on where explain ends: at the first contact, any answer but the version says something about the
// cluster.
func (c *Client) explainProbe(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	code := int(status.Status().Code)
	switch {
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return &UnreachableError{Cluster: c.name, Host: c.target.host,
			Err: fmt.Errorf("the API server, or a proxy in front of it, answered %d %s", code, http.StatusText(code))}
	case code == http.StatusBadRequest && strings.HasPrefix(c.target.host, "http:"):
		return c.notKubernetes("it answered 400 Bad Request, as TLS servers do to plain HTTP; does the host want https://?")
	}
	return c.notKubernetes(fmt.Sprintf("it answered /version with %d %s", code, http.StatusText(code)))
}

func (c *Client) notKubernetes(problem string) error {
	return &InvalidError{Cluster: c.name, Place: c.target.host, Attribute: "host",
		Problem: "a server answers there, but not as a Kubernetes API server: " + problem}
}
