package override

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Rewrite applies the rules to the objects for a cluster. Neither the objects nor what they contain is modified. An error is of the type
// Errors and holds the first for each object, with no objects in the result. Its Uses then lack images of objects that failed, so
// that Unused is worth asking only when all clusters went well.
func (o *Overrides) Rewrite(cluster fleet.Cluster, objects []Object) (Result, error) {
	r := rewriting{cluster: cluster.Name, uses: make([]Use, len(o.rules))}
	var rules []int
	for i, rule := range o.rules {
		r.uses[i].images = make(map[string]bool)
		if rule.Clusters != nil {
			chosen, err := rule.Clusters(cluster)
			if err != nil {
				r.errs = append(r.errs, &Error{Rule: i, Cluster: cluster.Name, Argument: argumentClusters, Detail: err.Error(), Cause: err})
			}
			if err != nil || !chosen {
				continue
			}
		}
		r.uses[i].Cluster = true
		rules = append(rules, i)
	}
	for _, object := range objects {
		r.object(o, rules, object)
	}
	result := Result{Objects: r.kept, Excluded: r.excluded, Uses: r.uses}
	if len(r.errs) > 0 {
		return Result{Uses: r.uses}, r.errs
	}
	return result, nil
}

// rewriting is the work for one cluster.
type rewriting struct {
	cluster  string
	kept     []Object
	excluded []Exclusion
	uses     []Use
	errs     Errors
}

func (r *rewriting) object(o *Overrides, rules []int, object Object) {
	labels := labelsOf(object.Content)
	confidential := object.Confidential || object.Key.Group == "" && object.Key.Kind == "Secret"
	content, excluded, failed := object.Content, -1, false
	for _, i := range rules {
		rule, use := &o.rules[i], &r.uses[i]
		if rule.Target != nil && !rule.Target(object.Key, labels) {
			continue
		}
		switch {
		case excluded >= 0:
			use.gone(excluded)
			continue
		case rule.Exclude:
			excluded = i
			use.Objects++
			use.Changed++
			continue
		}
		use.Objects++
		if failed {
			continue
		}
		changed, failure := rule.apply(content, confidential, use)
		if failure != nil {
			failed = true
			r.errs = append(r.errs, &Error{Rule: i, Cluster: r.cluster, Key: object.Key, Argument: failure.argument, Path: failure.path, Detail: failure.detail})
			continue
		}
		if !reflect.DeepEqual(changed, content) {
			use.Changed++
			content = changed
		}
	}
	if excluded >= 0 {
		r.excluded = append(r.excluded, Exclusion{Key: object.Key, Rule: excluded})
		return
	}
	object.Content = content
	r.kept = append(r.kept, object)
}

// apply returns what the rule makes of the object, which is not modified.
func (c *compiled) apply(object map[string]any, confidential bool, use *Use) (map[string]any, *failure) {
	var result map[string]any
	var failed *failure
	switch {
	case c.json != nil:
		result, failed = c.json.apply(object, confidential)
	case c.merge != nil:
		result, _ = merge(runtime.DeepCopyJSON(object), c.merge).(map[string]any)
	case c.strategic != nil:
		result, failed = applyStrategic(c.strategic, runtime.DeepCopyJSON(object), confidential)
	default:
		result = runtime.DeepCopyJSON(object)
		use.saw(c.images.apply(result))
	}
	if failed != nil {
		return nil, failed
	}
	if detail, path := changedIdentity(object, result, confidential); detail != "" {
		return nil, &failure{argument: c.argument(), path: path, detail: detail}
	}
	dropNulls(result)
	return result, nil
}

func labelsOf(object map[string]any) map[string]string {
	metadata, _ := object["metadata"].(map[string]any)
	entries, _ := metadata["labels"].(map[string]any)
	labels := make(map[string]string, len(entries))
	for name, v := range entries {
		if text, ok := v.(string); ok {
			labels[name] = text
		}
	}
	return labels
}
