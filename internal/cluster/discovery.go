package cluster

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
)

// Discovery is what a cluster serves.
type Discovery struct {
	// Mapper finds the resource for a kind, and whether it is namespaced.
	Mapper meta.RESTMapper
	// Kinds are the served kinds with their resources, one entry per version.
	Kinds map[schema.GroupVersionKind]metav1.APIResource
	// Failed are group versions that the cluster offers but could not describe, such as those of an aggregated API
	// server that is down. A kind in one of them is not unserved, it is unknown.
	Failed map[schema.GroupVersion]error
}

// Versions are the served versions of a kind, sorted; none when the cluster does not serve it.
func (d *Discovery) Versions(kind schema.GroupKind) []string {
	var versions []string
	for gvk := range d.Kinds {
		if gvk.GroupKind() == kind {
			versions = append(versions, gvk.Version)
		}
	}
	slices.Sort(versions)
	return versions
}

// APIs are the served "group/version/Kind" triples, sorted; in the core group "v1/Kind".
func (d *Discovery) APIs() []string {
	apis := make([]string, 0, len(d.Kinds))
	for gvk := range maps.Keys(d.Kinds) {
		apis = append(apis, gvk.GroupVersion().String()+"/"+gvk.Kind)
	}
	slices.Sort(apis)
	return apis
}

// Discover finds out what the cluster serves, in two requests where it aggregates discovery. It does so at most once
// per process, unless Reset says that something changed.
func (c *Client) Discover(ctx context.Context) (*Discovery, error) {
	c.discoveryMu.Lock()
	defer c.discoveryMu.Unlock()
	if c.discovered != nil {
		return c.discovered, nil
	}
	ctx, done := asking(ctx)
	defer done()
	client, err := discovery.NewDiscoveryClientForConfigAndClient(c.config, c.http)
	if err != nil {
		return nil, err
	}
	groups, lists, err := client.ServerGroupsAndResourcesWithContext(ctx)
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		return nil, c.explain(ctx, err)
	}
	c.discovered = &Discovery{Mapper: mapper(groups, lists), Kinds: kinds(lists), Failed: failed}
	return c.discovered, nil
}

// Mapper is the mapper of what Discover finds.
func (c *Client) Mapper(ctx context.Context) (meta.RESTMapper, error) {
	d, err := c.Discover(ctx)
	if err != nil {
		return nil, err
	}
	return d.Mapper, nil
}

// Reset drops what Discover found, as is needed after a CustomResourceDefinition was created or changed.
func (c *Client) Reset() {
	c.discoveryMu.Lock()
	defer c.discoveryMu.Unlock()
	c.discovered = nil
}

func mapper(groups []*metav1.APIGroup, lists []*metav1.APIResourceList) meta.RESTMapper {
	byVersion := map[string][]metav1.APIResource{}
	for _, list := range lists {
		byVersion[list.GroupVersion] = list.APIResources
	}
	var resources []*restmapper.APIGroupResources
	for _, group := range groups {
		found := &restmapper.APIGroupResources{Group: *group, VersionedResources: map[string][]metav1.APIResource{}}
		for _, version := range group.Versions {
			if list, ok := byVersion[version.GroupVersion]; ok {
				found.VersionedResources[version.Version] = list
			}
		}
		resources = append(resources, found)
	}
	return restmapper.NewDiscoveryRESTMapper(resources)
}

func kinds(lists []*metav1.APIResourceList) map[schema.GroupVersionKind]metav1.APIResource {
	found := map[schema.GroupVersionKind]metav1.APIResource{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, resource := range list.APIResources {
			if isSubresource(resource.Name) {
				continue
			}
			found[gv.WithKind(resource.Kind)] = resource
		}
	}
	return found
}

func isSubresource(name string) bool { return slices.Contains([]byte(name), '/') }
