package floor

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Drift changes fields of objects behind the contestants' backs, as somebody else.
func Drift(ctx context.Context, kubeconfig string, clusters []string, objects []work.Object, drifts []work.Drift) error {
	configs, err := Configs(kubeconfig, clusters, requests.UserAgent)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(clustersAtOnce)
	for _, drift := range drifts {
		group.Go(func() error {
			client, err := dynamic.NewForConfig(configs[drift.Cluster])
			if err != nil {
				return err
			}
			object := objects[drift.Object]
			_, err = client.Resource(object.Resource).Namespace(object.Content.GetNamespace()).
				Patch(ctx, object.Content.GetName(), types.MergePatchType, object.Drift, metav1.PatchOptions{FieldManager: "somebody"})
			if err != nil {
				return fmt.Errorf("making %s %s drift on %s: %w", object.Content.GetKind(), object.Content.GetName(), clusters[drift.Cluster], err)
			}
			return nil
		})
	}
	return group.Wait()
}
