package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

const (
	regionLabel = "topology.kubernetes.io/region"
	zoneLabel   = "topology.kubernetes.io/zone"
	nodesPage   = 500
)

// discover finds out what the cluster's resource asks for. What cannot be found out is a warning.
func discover(ctx context.Context, client *cluster.Client, m *clusterModel) (fleet.Facts, diag.Diagnostics) {
	var facts fleet.Facts
	var diags diag.Diagnostics
	if _, managed := client.Hub(); managed != nil {
		return cluster.FromManaged(managed).Facts, diags
	}
	warn := func(what string, err error) {
		diags.AddWarning(fmt.Sprintf("The %s of cluster %q could not be read", what, client.Name()), sentence(err.Error()))
	}
	if m.wants(discoverNodes, discoverCapacity) {
		if err := discoverNodesOf(ctx, client, &facts); err != nil {
			warn("nodes", client.Classify(err))
		}
	}
	if m.wants(discoverAPIs) {
		found, err := client.Discover(ctx)
		if err != nil {
			warn("APIs", err)
			return facts, diags
		}
		facts.APIs = found.APIs()
		for gv, err := range found.Failed {
			warn("API "+gv.String(), err)
		}
	}
	return facts, diags
}

func discoverNodesOf(ctx context.Context, client *cluster.Client, facts *fleet.Facts) error {
	regions, zones, total := map[string]bool{}, map[string]bool{}, map[string]resource.Quantity{}
	nodes := client.Dynamic().Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"})
	options := metav1.ListOptions{Limit: nodesPage}
	for {
		page, err := nodes.List(ctx, options)
		if err != nil {
			return err
		}
		for _, node := range page.Items {
			facts.Nodes++
			labels := node.GetLabels()
			if region := labels[regionLabel]; region != "" {
				regions[region] = true
			}
			if zone := labels[zoneLabel]; zone != "" {
				zones[zone] = true
			}
			if err := addAllocatable(total, node); err != nil {
				return err
			}
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			break
		}
	}
	facts.Regions, facts.Zones = slices.Sorted(maps.Keys(regions)), slices.Sorted(maps.Keys(zones))
	facts.Allocatable = make(map[string]string, len(total))
	for name, quantity := range total {
		facts.Allocatable[name] = quantity.String()
	}
	return nil
}

func addAllocatable(total map[string]resource.Quantity, node unstructured.Unstructured) error {
	allocatable, _, err := unstructured.NestedStringMap(node.Object, "status", "allocatable")
	if err != nil {
		return fmt.Errorf("node %s: %w", node.GetName(), err)
	}
	for name, text := range allocatable {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return fmt.Errorf("node %s: allocatable %s is %q: %w", node.GetName(), name, text, err)
		}
		sum := total[name]
		sum.Add(quantity)
		total[name] = sum
	}
	return nil
}
