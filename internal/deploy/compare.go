package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Compared is what comparing objects over clusters has come to.
type Compared struct {
	// Clusters are those that were read, sorted.
	Clusters []string
	// Unread are the others, with the reason.
	Unread map[string]string
	// Objects are all objects found or named, in the order of their keys.
	Objects []Comparison
	// Nowhere are those that were named and are on none of the clusters.
	Nowhere []fleet.ObjectKey
}

// Question is what is to be compared.
type Question struct {
	// Keys are single objects, and Targets choose some; a target has at least a kind.
	Keys    []fleet.ObjectKey
	Targets []manifest.Target
	// Ignore are fields that are not compared.
	Ignore []fleet.Pattern
}

// Compare reads objects on all clusters, one request per kind and cluster where they are chosen by kind, and compares them. A cluster that
// cannot be read is a warning, and no part of the comparison.
func (r *Runner) Compare(ctx context.Context, clusters map[string]fleet.Cluster, q Question) (Compared, Problems) {
	out := Compared{Unread: map[string]string{}}
	var found Problems
	var mu sync.Mutex
	samples := map[fleet.ObjectKey]map[string]ssa.Fields{}
	names, access := []string{}, map[string]string{}
	for name, c := range clusters {
		if !c.Active() {
			out.Unread[name] = "the cluster is in the mode " + string(c.Mode)
			continue
		}
		names, access[name] = append(names, name), c.Access
	}
	slices.Sort(names)
	r.overClusters(ctx, "compare", Set{}, names, access, func(name string) {
		objects, err := r.sample(ctx, clusters[name], q)
		mu.Lock()
		defer mu.Unlock()
		var question *questionError
		switch {
		case errors.As(err, &question):
			found = append(found, Problem{Cluster: name, Err: err})
		case err != nil:
			out.Unread[name] = err.Error()
			found = append(found, Problem{Cluster: name, Err: err, Warning: true})
		default:
			out.Clusters = append(out.Clusters, name)
			for key, fields := range objects {
				if samples[key] == nil {
					samples[key] = map[string]ssa.Fields{}
				}
				samples[key][name] = fields
			}
		}
	})
	slices.Sort(out.Clusters)
	for _, key := range q.Keys {
		if samples[key] == nil {
			samples[key] = map[string]ssa.Fields{}
			if len(out.Clusters) > 0 {
				out.Nowhere = append(out.Nowhere, key)
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(samples), fleet.ObjectKey.Compare) {
		for _, name := range out.Clusters {
			if _, there := samples[key][name]; !there {
				samples[key][name] = nil
			}
		}
		out.Objects = append(out.Objects, compareObject(key, samples[key]))
	}
	return out, found
}

// questionError says that what is to be compared was not said well.
type questionError struct{ text string }

func (e *questionError) Error() string { return e.text }

// wish is what is asked for of one kind.
type wish struct {
	kind    schema.GroupKind
	keys    []fleet.ObjectKey
	targets []manifest.Target
}

// sample reads what one cluster has of the objects.
func (r *Runner) sample(ctx context.Context, c fleet.Cluster, q Question) (map[fleet.ObjectKey]ssa.Fields, error) {
	s, err := r.open(ctx, Set{}, c, Applied{})
	if err != nil {
		return nil, err
	}
	wishes, err := s.wishes(ctx, q)
	if err != nil {
		return nil, s.client.Classify(err)
	}
	out := map[fleet.ObjectKey]ssa.Fields{}
	for _, w := range wishes {
		objects, err := s.fulfil(ctx, w)
		if err != nil {
			return nil, s.client.Classify(err)
		}
		for _, obj := range objects {
			if out[keyOf(obj)], err = comparableFields(obj, q.Ignore); err != nil {
				return nil, fmt.Errorf("%s: %w", keyOf(obj), err)
			}
		}
	}
	return out, nil
}

// wishes sorts what is asked for by kind, so that each kind is read once.
func (s *site) wishes(ctx context.Context, q Question) ([]*wish, error) {
	var list []*wish
	of := func(kind schema.GroupKind) *wish {
		for _, w := range list {
			if w.kind == kind {
				return w
			}
		}
		list = append(list, &wish{kind: kind})
		return list[len(list)-1]
	}
	for _, key := range q.Keys {
		w := of(schema.GroupKind{Group: key.Group, Kind: key.Kind})
		w.keys = append(w.keys, key)
	}
	for _, t := range q.Targets {
		group, err := s.groupOf(ctx, t)
		if err != nil {
			return nil, err
		}
		w := of(schema.GroupKind{Group: group, Kind: t.Kind})
		w.targets = append(w.targets, t)
	}
	return list, nil
}

// groupOf finds the group of a target's kind; "" where the cluster does not have the kind.
func (s *site) groupOf(ctx context.Context, t manifest.Target) (string, error) {
	if t.Group != nil {
		return *t.Group, nil
	}
	served, err := s.client.Discover(ctx)
	if err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	groups := map[string]bool{}
	for kind := range served.Kinds {
		if kind.Kind == t.Kind {
			groups[kind.Group] = true
		}
	}
	names := slices.Sorted(maps.Keys(groups))
	switch len(names) {
	case 0:
		return "", nil
	case 1:
		return names[0], nil
	}
	return "", &questionError{fmt.Sprintf("the kind %s is in several groups (%q); say in the target which is meant", t.Kind, names)}
}

// fulfil reads the objects of one kind: a single one by its name, else all of them at once.
func (s *site) fulfil(ctx context.Context, w *wish) ([]*unstructured.Unstructured, error) {
	resource, err := s.resource(ctx, w.kind.WithVersion(""))
	if isNotServed(err) {
		// What is not served is not there.
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, key := range w.keys {
		if resource.Namespaced != (key.Namespace != "") {
			if resource.Namespaced {
				return nil, &questionError{fmt.Sprintf("%s: %s is namespaced; write \"%s NAMESPACE/%s\"", key, key.Kind, strings.Fields(key.String())[0], key.Name)}
			}
			return nil, &questionError{fmt.Sprintf("%s: %s is cluster-scoped and has no namespace", key, key.Kind)}
		}
	}
	if len(w.keys) == 1 && len(w.targets) == 0 {
		obj, err := s.server.Get(ctx, resource, w.keys[0].Namespace, w.keys[0].Name)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("get %s: %w", w.keys[0], err)
		}
		return []*unstructured.Unstructured{obj}, nil
	}
	list, err := s.server.List(ctx, resource, w.namespace(resource), "")
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", resource.GroupResource(), err)
	}
	var out []*unstructured.Unstructured
	for _, obj := range list {
		key := keyOf(obj)
		if slices.Contains(w.keys, key) || slices.ContainsFunc(w.targets, func(t manifest.Target) bool { return t.Matches(key, obj.GetLabels()) }) {
			out = append(out, obj)
		}
	}
	return out, nil
}

// namespace is the only one in which any of the objects can be; empty where there may be several.
func (w *wish) namespace(r ssa.Resource) string {
	if !r.Namespaced {
		return ""
	}
	namespaces := map[string]bool{}
	for _, key := range w.keys {
		namespaces[key.Namespace] = true
	}
	for _, t := range w.targets {
		if t.Namespace == nil || strings.ContainsAny(t.Namespace.String(), "*?") {
			return ""
		}
		namespaces[t.Namespace.String()] = true
	}
	if len(namespaces) != 1 {
		return ""
	}
	for name := range namespaces {
		return name
	}
	return ""
}

// Report says the differences in sentences, those that several clusters share once.
func (c Compared) Report() []string {
	var all Problems
	for _, o := range c.Objects {
		say := func(cluster, text string) {
			all = append(all, Problem{Cluster: cluster, Object: &o.Object, Err: errors.New(text)})
		}
		for _, name := range o.Missing {
			say(name, "lacks it, most have it")
		}
		for _, name := range o.Extra {
			say(name, "has it, most lack it")
		}
		for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
			for _, d := range o.Fields[name] {
				say(name, fmt.Sprintf("%s is %s, most have %s", d.Path, short(d.To), short(d.From)))
			}
		}
		for _, tie := range o.Ties {
			path := tie.Path + " is "
			if tie.Path == "" {
				path = ""
			}
			for _, vote := range tie.Values {
				for _, name := range vote.Clusters {
					say(name, fmt.Sprintf("%s%s, and there is no majority", path, short(vote.Value)))
				}
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return strings.Split(all.String(), "\n")
}
