package apiserver

import (
	"net/http"
	"sync/atomic"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/client-go/kubernetes"
	api "k8s.io/kubernetes/pkg/apis/core"
	admissionregistrationrest "k8s.io/kubernetes/pkg/registry/admissionregistration/rest"
	appsrest "k8s.io/kubernetes/pkg/registry/apps/rest"
	authorizationrest "k8s.io/kubernetes/pkg/registry/authorization/rest"
	autoscalingrest "k8s.io/kubernetes/pkg/registry/autoscaling/rest"
	batchrest "k8s.io/kubernetes/pkg/registry/batch/rest"
	certificatesrest "k8s.io/kubernetes/pkg/registry/certificates/rest"
	coordinationrest "k8s.io/kubernetes/pkg/registry/coordination/rest"
	endpointsstore "k8s.io/kubernetes/pkg/registry/core/endpoint/storage"
	limitrangestore "k8s.io/kubernetes/pkg/registry/core/limitrange/storage"
	nodestore "k8s.io/kubernetes/pkg/registry/core/node/storage"
	pvstore "k8s.io/kubernetes/pkg/registry/core/persistentvolume/storage"
	pvcstore "k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim/storage"
	podstore "k8s.io/kubernetes/pkg/registry/core/pod/storage"
	podtemplatestore "k8s.io/kubernetes/pkg/registry/core/podtemplate/storage"
	controllerstore "k8s.io/kubernetes/pkg/registry/core/replicationcontroller/storage"
	corerest "k8s.io/kubernetes/pkg/registry/core/rest"
	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"
	servicestore "k8s.io/kubernetes/pkg/registry/core/service/storage"
	discoveryrest "k8s.io/kubernetes/pkg/registry/discovery/rest"
	eventsrest "k8s.io/kubernetes/pkg/registry/events/rest"
	flowcontrolrest "k8s.io/kubernetes/pkg/registry/flowcontrol/rest"
	networkingrest "k8s.io/kubernetes/pkg/registry/networking/rest"
	noderest "k8s.io/kubernetes/pkg/registry/node/rest"
	policyrest "k8s.io/kubernetes/pkg/registry/policy/rest"
	rbacrest "k8s.io/kubernetes/pkg/registry/rbac/rest"
	resourcerest "k8s.io/kubernetes/pkg/registry/resource/rest"
	schedulingrest "k8s.io/kubernetes/pkg/registry/scheduling/rest"
	storagerest "k8s.io/kubernetes/pkg/registry/storage/rest"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

type provider interface {
	NewRESTStorage(serverstorage.APIResourceConfigSource, generic.RESTOptionsGetter) (genericapiserver.APIGroupInfo, error)
}

// permissive allows everything to everybody who is let in at all.
type permissive interface {
	authorizer.Authorizer
	authorizer.RuleResolver
}

// providers are Kubernetes' own, in its order. What is left out needs more of a control plane: tokens, token reviews, aggregation. The client is for resource claims
// with an administrator's access, which ask for their namespace by it, and fail here.
func providers(allow permissive, nobody kubernetes.Interface) []provider {
	return []provider{
		authorizationrest.RESTStorageProvider{Authorizer: allow, RuleResolver: allow},
		autoscalingrest.RESTStorageProvider{},
		batchrest.RESTStorageProvider{},
		certificatesrest.RESTStorageProvider{Authorizer: allow},
		coordinationrest.RESTStorageProvider{},
		discoveryrest.StorageProvider{},
		networkingrest.RESTStorageProvider{},
		noderest.RESTStorageProvider{},
		policyrest.RESTStorageProvider{},
		rbacrest.RESTStorageProvider{Authorizer: allow},
		schedulingrest.RESTStorageProvider{},
		storagerest.RESTStorageProvider{},
		flowcontrolrest.RESTStorageProvider{},
		appsrest.StorageProvider{},
		admissionregistrationrest.RESTStorageProvider{Authorizer: allow},
		eventsrest.RESTStorageProvider{},
		resourcerest.RESTStorageProvider{NamespaceClient: nobody.CoreV1().Namespaces(), Authorizer: allow},
	}
}

// definitionsGroup serves CustomResourceDefinitions.
func definitionsGroup(reactions store.Reactions) (genericapiserver.APIGroupInfo, error) {
	group := genericapiserver.NewDefaultAPIGroupInfo(apiextensions.GroupName, extensions.Scheme, metav1.ParameterCodec, extensions.Codecs)
	definitions, err := customresourcedefinition.NewREST(extensions.Scheme, oneCodec{
		codec: extensions.Codecs.LegacyCodec(extensionsv1.SchemeGroupVersion), versioner: extensionsv1.SchemeGroupVersion, reactions: reactions,
	})
	if err != nil {
		return group, err
	}
	group.VersionedResourcesStorageMap[extensionsv1.SchemeGroupVersion.Version] = map[string]rest.Storage{
		"customresourcedefinitions":        definitions,
		"customresourcedefinitions/status": customresourcedefinition.NewStatusREST(extensions.Scheme, definitions),
	}
	return group, nil
}

// coreGroup is what Kubernetes' provider of the core group makes, without what it needs informers and clients of one cluster for.
func coreGroup(enabled serverstorage.APIResourceConfigSource, options generic.RESTOptionsGetter, allow authorizer.Authorizer) (genericapiserver.APIGroupInfo, error) {
	group, err := (&corerest.GenericConfig{}).NewRESTStorage(enabled, options)
	if err != nil {
		return group, err
	}
	resources := group.VersionedResourcesStorageMap["v1"]
	for _, add := range []func(map[string]rest.Storage, generic.RESTOptionsGetter) error{addVolumes, addTemplates} {
		if err := add(resources, options); err != nil {
			return group, err
		}
	}
	return group, addPodsAndServices(resources, options, allow)
}

func addVolumes(resources map[string]rest.Storage, options generic.RESTOptionsGetter) (err error) {
	if resources["persistentvolumes"], resources["persistentvolumes/status"], err = pvstore.NewREST(options); err != nil {
		return err
	}
	resources["persistentvolumeclaims"], resources["persistentvolumeclaims/status"], err = pvcstore.NewREST(options)
	return err
}

func addTemplates(resources map[string]rest.Storage, options generic.RESTOptionsGetter) (err error) {
	if resources["podtemplates"], err = podtemplatestore.NewREST(options); err != nil {
		return err
	}
	if resources["limitranges"], err = limitrangestore.NewREST(options); err != nil {
		return err
	}
	controllers, err := controllerstore.NewStorage(options)
	if err != nil {
		return err
	}
	resources["replicationcontrollers"], resources["replicationcontrollers/status"] = controllers.Controller, controllers.Status
	resources["replicationcontrollers/scale"] = controllers.Scale
	return nil
}

func addPodsAndServices(resources map[string]rest.Storage, options generic.RESTOptionsGetter, allow authorizer.Authorizer) error {
	nodes, err := nodestore.NewStorage(options, kubeletConfig, http.DefaultTransport)
	if err != nil {
		return err
	}
	pods, err := podstore.NewStorage(options, nodes.KubeletConnectionInfo, http.DefaultTransport, nil, allow)
	if err != nil {
		return err
	}
	endpoints, err := endpointsstore.NewREST(options)
	if err != nil {
		return err
	}
	ips, err := newAddresses()
	if err != nil {
		return err
	}
	services, servicesStatus, _, err := servicestore.NewREST(options, ips.IPFamily(), map[api.IPFamily]ipallocator.Interface{ips.IPFamily(): ips},
		nodePorts{next: &atomic.Uint32{}}, endpoints, pods.Pod, http.DefaultTransport)
	if err != nil {
		return err
	}
	resources["nodes"], resources["nodes/status"] = nodes.Node, nodes.Status
	resources["pods"], resources["pods/status"], resources["pods/binding"] = pods.Pod, pods.Status, pods.Binding
	resources["endpoints"] = endpoints
	resources["services"], resources["services/status"] = services, servicesStatus
	return nil
}

// groups are all groups but the core group, which is the first result.
func groups(enabled serverstorage.APIResourceConfigSource, options generic.RESTOptionsGetter, reactions store.Reactions, allow permissive, nobody kubernetes.Interface) (core genericapiserver.APIGroupInfo, named []*genericapiserver.APIGroupInfo, err error) {
	if core, err = coreGroup(enabled, options, allow); err != nil {
		return core, nil, err
	}
	for _, p := range providers(allow, nobody) {
		group, err := p.NewRESTStorage(enabled, options)
		if err != nil {
			return core, nil, err
		}
		if len(group.VersionedResourcesStorageMap) > 0 {
			named = append(named, &group)
		}
	}
	definitions, err := definitionsGroup(reactions)
	if err != nil {
		return core, nil, err
	}
	return core, append(named, &definitions), nil
}
