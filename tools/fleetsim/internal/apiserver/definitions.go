package apiserver

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	extensionsapi "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	informers "k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions/apiextensions/v1"
	listers "k8s.io/apiextensions-apiserver/pkg/client/listers/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// definitions serves custom resources. Clusters whose definitions say the same share one handler, and those that have the same set of them
// share their discovery.
type definitions struct {
	builtIn   http.Handler
	config    *genericapiserver.Config
	schemas   map[string]*spec.Schema
	reactions store.Reactions

	mu        sync.RWMutex
	served    map[string]*definition
	clusters  map[*store.Cluster]map[string]*definition
	discovery map[string]*discovery
	current   map[*store.Cluster]*discovery
}

// definition is a CustomResourceDefinition, and what serves its resources.
type definition struct {
	id      string
	crd     *extensionsv1.CustomResourceDefinition
	handler http.Handler
}

func newDefinitions(builtIn http.Handler, config *genericapiserver.Config, core genericapiserver.APIGroupInfo, reactions store.Reactions) (*definitions, error) {
	if core.StaticOpenAPISpec == nil {
		return nil, errors.New("the core group came without its schemas")
	}
	return &definitions{
		builtIn: builtIn, config: config, schemas: core.StaticOpenAPISpec, reactions: reactions,
		served: map[string]*definition{}, clusters: map[*store.Cluster]map[string]*definition{},
		discovery: map[string]*discovery{}, current: map[*store.Cluster]*discovery{},
	}, nil
}

// handler serves a request that is about custom resources of the cluster, or about what it serves; nil where that is none.
func (d *definitions) handler(c *store.Cluster, req *http.Request) http.Handler {
	d.mu.RLock()
	defer d.mu.RUnlock()
	defined := d.clusters[c]
	if len(defined) == 0 {
		return nil
	}
	info, ok := request.RequestInfoFrom(req.Context())
	if !ok {
		return nil
	}
	if info.IsResourceRequest {
		if found := defined[resourceOf(info).String()]; found != nil {
			return found.handler
		}
		return nil
	}
	return d.current[c].handler(strings.TrimSuffix(req.URL.Path, "/"))
}

// follow notes that a cluster's definition was written or removed.
func (d *definitions) follow(c *store.Cluster, internal *extensionsapi.CustomResourceDefinition, removed bool) error {
	crd := &extensionsv1.CustomResourceDefinition{}
	if err := extensions.Scheme.Convert(internal, crd, nil); err != nil {
		return fmt.Errorf("convert the definition %s: %w", internal.Name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	defined := maps.Clone(d.clusters[c])
	if defined == nil {
		defined = map[string]*definition{}
	}
	delete(defined, crd.Name)
	if !removed {
		one, err := d.define(crd)
		if err != nil {
			return err
		}
		defined[crd.Name] = one
	}
	found, err := d.discover(defined)
	if err != nil {
		return err
	}
	d.clusters[c], d.current[c] = defined, found
	return nil
}

// define finds the definition among those of other clusters that say the same, or makes a handler for it.
func (d *definitions) define(crd *extensionsv1.CustomResourceDefinition) (*definition, error) {
	says, err := json.Marshal([]any{crd.Name, crd.Spec, crd.Status.AcceptedNames, crd.Status.StoredVersions})
	if err != nil {
		return nil, fmt.Errorf("encode the definition %s: %w", crd.Name, err)
	}
	id := fmt.Sprintf("%x", sha256.Sum256(says))
	if found := d.served[id]; found != nil {
		return found, nil
	}
	shared := &extensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: crd.Name, UID: types.UID(id)}, Spec: crd.Spec, Status: crd.Status,
	}
	handler, err := extensions.NewCustomResourceDefinitionHandler(nil, nil, only{shared}, d.builtIn,
		oneCodec{codec: unstructured.UnstructuredJSONScheme, reactions: d.reactions}, d.config.AdmissionControl, nil, nil,
		func(next webhook.AuthenticationInfoResolver) webhook.AuthenticationInfoResolver { return next },
		1, authorizerfactory.NewAlwaysAllowAuthorizer(), time.Minute, time.Minute, d.schemas, maxBody)
	if err != nil {
		return nil, fmt.Errorf("serve the definition %s: %w", crd.Name, err)
	}
	d.served[id] = &definition{id: id, crd: shared, handler: handler}
	return d.served[id], nil
}

// discover finds out what a cluster with these definitions serves.
func (d *definitions) discover(defined map[string]*definition) (*discovery, error) {
	var ids []string
	var crds []*extensionsv1.CustomResourceDefinition
	for _, name := range slices.Sorted(maps.Keys(defined)) {
		ids, crds = append(ids, defined[name].id), append(crds, defined[name].crd)
	}
	id := strings.Join(ids, " ")
	if found := d.discovery[id]; found != nil {
		return found, nil
	}
	found, err := newDiscovery(d.builtIn, crds)
	if err != nil {
		return nil, err
	}
	d.discovery[id] = found
	return found, nil
}

// only is an informer of one definition that never changes: when a cluster's does, it gets another handler.
type only struct {
	crd *extensionsv1.CustomResourceDefinition
}

var _ informers.CustomResourceDefinitionInformer = only{}

// Informer is never started, and so never tells of anything.
func (o only) Informer() cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(&cache.ListWatch{}, &extensionsv1.CustomResourceDefinition{}, 0, cache.Indexers{})
}

// Lister lists the definition.
func (o only) Lister() listers.CustomResourceDefinitionLister {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	// It fails for objects without a name only.
	utilruntime.Must(indexer.Add(o.crd))
	return listers.NewCustomResourceDefinitionLister(indexer)
}
