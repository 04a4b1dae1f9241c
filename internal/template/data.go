package template

import (
	"fmt"
	"math"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Cluster returns what .cluster is for a cluster. Keys have the names of the attributes in configuration. A label, a
// property and a fact of one name are three things, none of which hides another. What is not known or was not asked for is
// left out, so that a template which needs it fails instead of writing an empty string.
func Cluster(c fleet.Cluster) map[string]any {
	facts := map[string]any{}
	if c.Facts.Nodes > 0 {
		facts["nodes"] = c.Facts.Nodes
	}
	if len(c.Facts.Allocatable) > 0 {
		facts["allocatable"] = c.Facts.Allocatable
	}
	for name, list := range map[string][]string{"regions": c.Facts.Regions, "zones": c.Facts.Zones, "apis": c.Facts.APIs} {
		if len(list) > 0 {
			facts[name] = list
		}
	}
	view := map[string]any{"name": c.Name, "labels": c.Labels, "properties": c.Properties, "weight": c.Weight, "facts": facts}
	for name, text := range map[string]string{
		"uid": c.UID, "minor": c.Minor, "kubernetes_version": c.KubernetesVersion, "platform": c.Platform, "group": c.Group,
	} {
		if text != "" {
			view[name] = text
		}
	}
	return view
}

// finite tells whether JSON can express the number.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// plain copies a value into the types that an object can hold. The error names where and the Go type only.
func plain(v any, where string) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case float64:
		if !finite(v) {
			return nil, fmt.Errorf("%s is not a finite number", where)
		}
		return v, nil
	case map[string]string:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = item
		}
		return m, nil
	case []string:
		list := make([]any, 0, len(v))
		for _, item := range v {
			list = append(list, item)
		}
		return list, nil
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			copied, err := plain(item, where+"."+key)
			if err != nil {
				return nil, err
			}
			m[key] = copied
		}
		return m, nil
	case []any:
		list := make([]any, 0, len(v))
		for i, item := range v {
			copied, err := plain(item, fmt.Sprintf("%s[%d]", where, i))
			if err != nil {
				return nil, err
			}
			list = append(list, copied)
		}
		return list, nil
	default:
		return nil, fmt.Errorf("%s is of the Go type %T, which templates cannot read", where, v)
	}
}

// leafNumber makes integers of whole numbers, as reading a manifest does: JSON does not tell 1.0 from 1, so the server would
// return the integer.
func leafNumber(v float64) any {
	if whole, ok := fleet.WholeNumber(v); ok {
		return whole
	}
	return v
}

// leafValue copies what a whole leaf yields. Null values of maps are left out, as they are when a manifest is read, and
// nothing else may be null.
func leafValue(v any) (copied any, ok bool) {
	switch v := v.(type) {
	case string, bool, int64:
		return v, true
	case float64:
		return leafNumber(v), finite(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			if item == nil {
				continue
			}
			if m[key], ok = leafValue(item); !ok {
				return nil, false
			}
		}
		return m, true
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			if list[i], ok = leafValue(item); !ok {
				return nil, false
			}
		}
		return list, true
	default:
		return nil, false
	}
}
