package apiserver

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/tools/cache"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// inMemory makes the storage of the built-in resources.
type inMemory struct {
	*serverstorage.DefaultStorageFactory
	reactions store.Reactions
}

// GetRESTOptions is asked for each resource as it is installed.
func (m inMemory) GetRESTOptions(resource schema.GroupResource, example runtime.Object) (generic.RESTOptions, error) {
	config, err := m.NewConfig(resource, example)
	if err != nil {
		return generic.RESTOptions{}, err
	}
	return restOptions(config, m.ResourcePrefix(resource), m.reactions), nil
}

// oneCodec makes the storage of resources that all are stored with one codec.
type oneCodec struct {
	codec     runtime.Codec
	versioner runtime.GroupVersioner
	reactions store.Reactions
}

// GetRESTOptions is asked for each resource; for a custom resource, the definition's handler puts the conversion around the codec.
func (o oneCodec) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	config := storagebackend.Config{Codec: o.codec, EncodeVersioner: o.versioner}
	return restOptions(config.ForResource(resource), resource.Group+"/"+resource.Resource, o.reactions), nil
}

func restOptions(config *storagebackend.ConfigForResource, prefix string, reactions store.Reactions) generic.RESTOptions {
	return generic.RESTOptions{
		StorageConfig: config, ResourcePrefix: prefix, EnableGarbageCollection: true, DeleteCollectionWorkers: 1,
		Decorator: func(config *storagebackend.ConfigForResource, prefix string, _ func(runtime.Object) (string, error), newObject, _ func() runtime.Object,
			_ storage.AttrFunc, _ storage.IndexerFuncs, _ *cache.Indexers) (storage.Interface, factory.DestroyFunc, error) {
			return store.New(config.GroupResource, prefix, config.Codec, newObject, reactions), func() {}, nil
		},
	}
}
