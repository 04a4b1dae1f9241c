package cluster

import (
	"context"
	"fmt"
	"net"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

const pollInterval = 100 * time.Millisecond

func (c *Cluster) client() (*corev1client.CoreV1Client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfigFile(self))
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of %s: %w", c.Name, err)
	}
	config.UserAgent = self
	config.Timeout = 10 * time.Second
	config.QPS = -1
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", c.Name, err)
	}
	return client, nil
}

func (c *Cluster) waitForEtcd(ctx context.Context) error {
	address := fmt.Sprintf("127.0.0.1:%d", c.Ports.EtcdClient)
	return c.wait(ctx, "etcd to listen on "+address, func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}

func (c *Cluster) waitForAPI(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return c.wait(ctx, "the API server to be ready", func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

func (c *Cluster) waitForNodes(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := c.createNodes(ctx, client); err != nil {
		return err
	}
	err = c.wait(ctx, "the nodes to be ready", func(ctx context.Context) error {
		ready, err := c.nodesReady(ctx, client)
		if err == nil && !ready {
			err = errNotYet
		}
		return err
	})
	if err != nil {
		return err
	}
	// Without it, admission refuses every Pod in the namespace.
	return c.wait(ctx, "the service account default/default", func(ctx context.Context) error {
		_, err := client.ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			err = errNotYet
		}
		return err
	})
}

var errNotYet = fmt.Errorf("not yet")

// wait tries until it succeeds. Errors are what is expected of a server that is
// just starting, so only the last one is told.
func (c *Cluster) wait(ctx context.Context, what string, try func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		if err := try(ctx); err != nil {
			// The end of the waiting says nothing about the server.
			if last == nil || ctx.Err() == nil {
				last = err
			}
			return false, nil
		}
		return true, nil
	})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("waited %s for %s of %s: %w; its logs are in %s", patience, what, c.Name, last, c.LogDir)
}
