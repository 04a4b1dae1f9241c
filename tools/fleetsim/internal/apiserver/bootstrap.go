package apiserver

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// Bootstrap gives a cluster the namespaces that each cluster has.
func (s *Server) Bootstrap(ctx context.Context, c *store.Cluster) error {
	creator, ok := s.namespaces.(rest.Creater) //nolint:misspell // So it is called.
	if !ok {
		return fmt.Errorf("namespaces of type %T cannot be created", s.namespaces)
	}
	ctx = request.WithNamespace(store.With(ctx, c), metav1.NamespaceNone)
	for _, name := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, "kube-node-lease"} {
		namespace := &api.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}, UID: uuid.NewUUID(),
		}}
		if _, err := creator.Create(ctx, namespace, rest.ValidateAllObjectFunc, &metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create namespace %s on %s: %w", name, c.Name, err)
		}
	}
	return nil
}
