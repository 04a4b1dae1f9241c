package ocmtest

import (
	"context"
	"embed"
	"errors"
	"path"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// The schemas are written from the documented API. Anchors in them stand for what the API repeats.
//
//go:embed crds/*.yaml
var definitions embed.FS

// Where the API server serves what a hub and a site have.
var (
	ManifestWorks        = schema.GroupVersionResource{Group: "work.open-cluster-management.io", Version: "v1", Resource: "manifestworks"}
	AppliedManifestWorks = schema.GroupVersionResource{Group: "work.open-cluster-management.io", Version: "v1", Resource: "appliedmanifestworks"}
	ManagedClusters      = schema.GroupVersionResource{Group: "cluster.open-cluster-management.io", Version: "v1", Resource: "managedclusters"}
	Placements           = schema.GroupVersionResource{Group: "cluster.open-cluster-management.io", Version: "v1beta1", Resource: "placements"}
	PlacementDecisions   = schema.GroupVersionResource{Group: "cluster.open-cluster-management.io", Version: "v1beta1", Resource: "placementdecisions"}
	ClusterProfiles      = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Resource: "clusterprofiles"}
)

var crds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

var installed sync.Map

// onHub and onSite are the definitions that a hub and a site have, by their files.
var (
	onHub = map[string]schema.GroupVersionResource{
		"manifestworks": ManifestWorks, "managedclusters": ManagedClusters, "placements": Placements,
		"placementdecisions": PlacementDecisions, "clusterprofiles": ClusterProfiles,
	}
	onSite = map[string]schema.GroupVersionResource{"appliedmanifestworks": AppliedManifestWorks}
)

// install installs definitions on a cluster and waits until they are served. They stay there: tests of other packages may be
// using them as well.
func install(t testing.TB, c *fleettest.Cluster, role string, files map[string]schema.GroupVersionResource) {
	t.Helper()
	once, _ := installed.LoadOrStore(c.Name+" "+role, sync.OnceValue(func() error { return write(context.WithoutCancel(t.Context()), c.AdminDynamic(t), files) }))
	if err := once.(func() error)(); err != nil { //nolint:forcetypeassert // nothing else is stored
		t.Fatalf("installing the definitions of Open Cluster Management on %s: %v", c.Name, err)
	}
}

func write(ctx context.Context, client dynamic.Interface, files map[string]schema.GroupVersionResource) error {
	for file := range files {
		text, err := definitions.ReadFile(path.Join("crds", file+".yaml"))
		if err != nil {
			return err
		}
		var object map[string]any
		if err := yaml.Unmarshal(text, &object); err != nil {
			return err
		}
		definition := &unstructured.Unstructured{Object: object}
		if _, err := client.Resource(crds).Apply(ctx, definition.GetName(), definition, metav1.ApplyOptions{FieldManager: "ocmtest", Force: true}); err != nil {
			return err
		}
	}
	for _, resource := range files {
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			_, err := client.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
			if apierrors.IsNotFound(err) {
				return false, nil
			}
			return err == nil, err
		})
		if err != nil {
			return errors.Join(errors.New(resource.String()), err)
		}
	}
	return nil
}
