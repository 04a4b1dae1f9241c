package placement

import (
	"reflect"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// clusterType is what CEL calls the type clusterView.
const clusterType = "placement.clusterView"

// clusterView is the type of the CEL variable cluster. The names of its fields are those of the attributes of a
// cluster in configuration.
type clusterView struct {
	Name              string            `cel:"name"`
	UID               string            `cel:"uid"`
	Labels            map[string]string `cel:"labels"`
	Properties        map[string]string `cel:"properties"`
	KubernetesVersion string            `cel:"kubernetes_version"`
	Minor             string            `cel:"minor"`
	Platform          string            `cel:"platform"`
	Reachable         bool              `cel:"reachable"`
	Group             string            `cel:"group"`
	Taints            []taintView       `cel:"taints"`
	Facts             factsView         `cel:"facts"`
}

// taintView is a taint in CEL.
type taintView struct {
	Key    string `cel:"key"`
	Value  string `cel:"value"`
	Effect string `cel:"effect"`
}

// factsView is what was discovered, in CEL.
type factsView struct {
	Nodes       int64             `cel:"nodes"`
	Allocatable map[string]string `cel:"allocatable"`
	Regions     []string          `cel:"regions"`
	Zones       []string          `cel:"zones"`
	APIs        []string          `cel:"apis"`
	Claims      map[string]string `cel:"claims"`
}

func viewOf(c fleet.Cluster) clusterView {
	taints := make([]taintView, 0, len(c.Taints))
	for _, t := range c.Taints {
		taints = append(taints, taintView{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	return clusterView{
		Name:              c.Name,
		UID:               c.UID,
		Labels:            c.Labels,
		Properties:        c.Properties,
		KubernetesVersion: c.KubernetesVersion,
		Minor:             c.Minor,
		Platform:          c.Platform,
		Reachable:         c.Reachable,
		Group:             c.Group,
		Taints:            taints,
		Facts: factsView{
			Nodes:       c.Facts.Nodes,
			Allocatable: c.Facts.Allocatable,
			Regions:     c.Facts.Regions,
			Zones:       c.Facts.Zones,
			APIs:        c.Facts.APIs,
			Claims:      c.Facts.Claims,
		},
	}
}

// clusterFields are the fields of a cluster, fieldNames all that may follow a dot.
var (
	clusterFields = fieldsOf(reflect.TypeFor[clusterView]())
	fieldNames    = append(append(fieldsOf(reflect.TypeFor[taintView]()), fieldsOf(reflect.TypeFor[factsView]())...), clusterFields...)
)

// ClusterFields lists the fields that expressions may look at.
func ClusterFields() []string { return slices.Clone(clusterFields) }

func fieldsOf(t reflect.Type) []string {
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("cel"))
	}
	return names
}
