package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	extensionshelpers "k8s.io/apiextensions-apiserver/pkg/apihelpers"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	apiendpoints "k8s.io/apiserver/pkg/endpoints"
	endpoints "k8s.io/apiserver/pkg/endpoints/discovery"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
)

// discovery is what a cluster with custom resources serves beside what all clusters serve.
type discovery struct {
	paths map[string]http.Handler
}

// aggregatedType is the media type of the newer form of discovery.
const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// handler is who answers at the path; nil where the definitions change nothing.
func (d *discovery) handler(path string) http.Handler { return d.paths[path] }

func newDiscovery(builtIn http.Handler, crds []*extensionsv1.CustomResourceDefinition) (*discovery, error) {
	d := &discovery{paths: map[string]http.Handler{}}
	var present apidiscoveryv2.APIGroupDiscoveryList
	var named metav1.APIGroupList
	if err := ask(builtIn, aggregatedType, &present); err != nil {
		return nil, err
	}
	if err := ask(builtIn, "application/json", &named); err != nil {
		return nil, err
	}
	manager := aggregated.NewResourceManager("apis")
	manager.SetGroups(present.Items)
	root := endpoints.NewRootAPIsHandler(endpoints.DefaultAddresses{}, extensions.Codecs)
	for _, group := range named.Groups {
		root.AddGroup(group)
	}
	for _, group := range groupsOf(crds) {
		root.AddGroup(group)
		d.paths["/apis/"+group.Name] = endpoints.NewAPIGroupHandler(extensions.Codecs, group)
		for _, v := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: v.Version}
			resources, err := resourcesOf(crds, gv)
			if err != nil {
				return nil, err
			}
			newer, err := apiendpoints.ConvertGroupVersionIntoToDiscovery(resources)
			if err != nil {
				return nil, fmt.Errorf("discovery of %s: %w", gv, err)
			}
			manager.AddGroupVersion(group.Name, apidiscoveryv2.APIVersionDiscovery{Version: v.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent, Resources: newer})
			manager.SetGroupVersionPriority(metav1.GroupVersion(gv), 1000, 100)
			for i := range resources {
				if resources[i].Group == gv.Group {
					// The older form says so only where it is another group than that of the list.
					resources[i].Group, resources[i].Version = "", ""
				}
			}
			d.paths["/apis/"+gv.String()] = endpoints.NewAPIVersionHandler(extensions.Codecs, gv, endpoints.APIResourceListerFunc(func() []metav1.APIResource { return resources }))
		}
	}
	d.paths["/apis"] = aggregated.WrapAggregatedDiscoveryToHandler(root, manager, nil)
	return d, nil
}

// ask gets what all clusters serve.
func ask(builtIn http.Handler, accept string, into any) error {
	req := httptest.NewRequest(http.MethodGet, "/apis", nil)
	req.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	builtIn.ServeHTTP(answer, req)
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	return nil
}

func groupsOf(crds []*extensionsv1.CustomResourceDefinition) []metav1.APIGroup {
	var groups []metav1.APIGroup
	for _, crd := range crds {
		i := slices.IndexFunc(groups, func(g metav1.APIGroup) bool { return g.Name == crd.Spec.Group })
		if i < 0 {
			i, groups = len(groups), append(groups, metav1.APIGroup{Name: crd.Spec.Group})
		}
		for _, v := range crd.Spec.Versions {
			one := metav1.GroupVersionForDiscovery{GroupVersion: crd.Spec.Group + "/" + v.Name, Version: v.Name}
			if v.Served && !slices.Contains(groups[i].Versions, one) {
				groups[i].Versions = append(groups[i].Versions, one)
			}
		}
	}
	groups = slices.DeleteFunc(groups, func(g metav1.APIGroup) bool { return len(g.Versions) == 0 })
	for i := range groups {
		slices.SortFunc(groups[i].Versions, func(a, b metav1.GroupVersionForDiscovery) int {
			return version.CompareKubeAwareVersionStrings(b.Version, a.Version)
		})
		groups[i].PreferredVersion = groups[i].Versions[0]
	}
	return groups
}

// resourcesOf says what kube-apiserver says of the definitions' resources.
func resourcesOf(crds []*extensionsv1.CustomResourceDefinition, gv schema.GroupVersion) ([]metav1.APIResource, error) {
	var resources []metav1.APIResource
	for _, crd := range crds {
		if crd.Spec.Group != gv.Group || !extensionshelpers.HasServedCRDVersion(crd, gv.Version) {
			continue
		}
		names := crd.Status.AcceptedNames
		one := metav1.APIResource{
			Name: names.Plural, SingularName: names.Singular, Namespaced: crd.Spec.Scope == extensionsv1.NamespaceScoped,
			Group: gv.Group, Version: gv.Version, Kind: names.Kind, ShortNames: names.ShortNames, Categories: names.Categories,
			Verbs: metav1.Verbs{"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"},
		}
		if stored, err := extensionshelpers.GetCRDStorageVersion(crd); err == nil {
			one.StorageVersionHash = endpoints.StorageVersionHash(gv.Group, stored, names.Kind)
		}
		resources = append(resources, one)
		sub, err := extensionshelpers.GetSubresourcesForVersion(crd, gv.Version)
		if err != nil {
			return nil, fmt.Errorf("subresources of %s: %w", crd.Name, err)
		}
		part := metav1.APIResource{Namespaced: one.Namespaced, Group: gv.Group, Version: gv.Version, Kind: one.Kind, Verbs: metav1.Verbs{"get", "patch", "update"}}
		if sub != nil && sub.Status != nil {
			part.Name = one.Name + "/status"
			resources = append(resources, part)
		}
		if sub != nil && sub.Scale != nil {
			part.Name, part.Group, part.Version, part.Kind = one.Name+"/scale", "autoscaling", "v1", "Scale"
			resources = append(resources, part)
		}
	}
	return resources, nil
}
