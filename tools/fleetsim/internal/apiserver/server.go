// Package apiserver serves the Kubernetes API of many simulated clusters with one set of Kubernetes' own handlers: the same REST strategies, field
// managers, defaults and validation as in kube-apiserver, on objects in memory. Which cluster a request is for, its context says.
package apiserver

import (
	"fmt"
	"net/http"
	"time"

	extensionsapi "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	restclient "k8s.io/client-go/rest"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/controlplane"
	generatedopenapi "k8s.io/kubernetes/pkg/generated/openapi"
	"k8s.io/kubernetes/pkg/kubeapiserver"
	kubeletclient "k8s.io/kubernetes/pkg/kubelet/client"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/settle"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// Version is the Kubernetes version of all simulated clusters, and Minor its minor version; go.mod requires that one.
const (
	Version = "v1.36.3"
	Minor   = "36"
)

// kubeletConfig is wanted by what would speak to kubelets; there are none.
var kubeletConfig = kubeletclient.KubeletClientConfig{Port: 10250, HTTPTimeout: time.Second}

// admin is who all requests are made by.
var admin = &user.DefaultInfo{Name: "kubernetes-admin", Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated}}

// maxBody is the longest body of a request, in bytes, as of the real API server.
const maxBody = 3 * 1024 * 1024

// Server serves the API of all simulated clusters.
type Server struct {
	http.Handler

	namespaces  rest.Storage
	definitions *definitions
}

// New builds the handlers. This takes a second or two and some hundred megabytes, once for all clusters.
func New() (*Server, error) {
	s := &Server{}
	controllers := &settle.Controllers{Define: func(c *store.Cluster, definition *extensionsapi.CustomResourceDefinition, removed bool) error {
		return s.definitions.follow(c, definition, removed)
	}}
	config, options := configure(controllers)
	config.AdmissionControl = lifecycle{namespaces: func() rest.Getter { return s.namespaces.(rest.Getter) }} //nolint:forcetypeassert // Kubernetes' storage of namespaces can get.
	allow := authorizerfactory.NewAlwaysAllowAuthorizer()
	config.Authorization.Authorizer = allow
	generic, err := config.Complete(nil).New("fleetsim", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, fmt.Errorf("make the API server: %w", err)
	}
	nobody, err := kubernetes.NewForConfig(config.LoopbackClientConfig)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	core, named, err := groups(config.MergedResourceConfig, options, controllers, allow, nobody)
	if err != nil {
		return nil, fmt.Errorf("make the API groups: %w", err)
	}
	s.namespaces = core.VersionedResourcesStorageMap["v1"]["namespaces"]
	if err := generic.InstallLegacyAPIGroup(genericapiserver.DefaultLegacyAPIPrefix, &core); err != nil {
		return nil, fmt.Errorf("install the core group: %w", err)
	}
	if err := generic.InstallAPIGroups(named...); err != nil {
		return nil, fmt.Errorf("install the named groups: %w", err)
	}
	builtIn := generic.UnprotectedHandler()
	if s.definitions, err = newDefinitions(builtIn, config, core, controllers); err != nil {
		return nil, err
	}
	s.Handler = s.chain(builtIn)
	return s, nil
}

// configure makes what kube-apiserver would make of its flags.
func configure(reactions store.Reactions) (*genericapiserver.Config, inMemory) {
	config := genericapiserver.NewConfig(legacyscheme.Codecs)
	config.EffectiveVersion = compatibility.DefaultComponentGlobalsRegistry.EffectiveVersionFor(basecompatibility.DefaultKubeComponent)
	config.ExternalAddress = "127.0.0.1:443"
	config.LoopbackClientConfig = &restclient.Config{Host: "https://127.0.0.1:443"}
	config.EnableProfiling, config.EnableMetrics, config.EnableIndex = false, false, false
	config.SkipOpenAPIInstallation = true
	config.MaxRequestBodyBytes = maxBody
	config.MergedResourceConfig = controlplane.DefaultAPIResourceConfigSource()

	definitions := openapi.GetOpenAPIDefinitionsWithoutDisabledFeatures(generatedopenapi.GetOpenAPIDefinitions)
	namer := openapinamer.NewDefinitionNamer(legacyscheme.Scheme, extensions.Scheme, scheme.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)

	factory := kubeapiserver.NewStorageFactoryConfigEffectiveVersion(config.EffectiveVersion)
	factory.APIResourceConfig = config.MergedResourceConfig
	builtIn := serverstorage.NewDefaultStorageFactory(storagebackend.Config{}, "application/vnd.kubernetes.protobuf", factory.Serializer,
		factory.DefaultResourceEncoding, factory.APIResourceConfig, kubeapiserver.SpecialDefaultResourcePrefixes)
	options := inMemory{DefaultStorageFactory: builtIn, reactions: reactions}
	config.RESTOptionsGetter = options
	return config, options
}
