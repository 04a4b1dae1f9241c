package deploy

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// past are the objects that the state's manifests make, rendered once for each cluster that asks.
type past struct {
	mu       sync.Mutex
	renderer *Renderer
	failed   bool
	objects  map[string]map[fleet.ObjectKey]manifest.Object
}

// pastObject is the object as the state's manifests have it; false where they have none, or nobody can tell.
func (s Set) pastObject(c fleet.Cluster, key fleet.ObjectKey) (manifest.Object, bool) {
	if s.Before == nil || s.past == nil {
		return manifest.Object{}, false
	}
	p := s.past
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.renderer == nil && !p.failed {
		source := *s.Before
		source.Sensitive, source.WriteOnly, source.Values = s.Sensitive, nil, nil
		var err error
		if p.renderer, err = NewRenderer(source); err != nil {
			p.failed = true
		}
	}
	if p.failed {
		return manifest.Object{}, false
	}
	of, ok := p.objects[c.Name]
	if !ok {
		of = map[fleet.ObjectKey]manifest.Object{}
		if rendered, err := p.renderer.Render(c); err == nil {
			for _, o := range rendered.Objects {
				of[o.Key] = o
				of[s.Before.InNamespace(o.Key)] = o
			}
		}
		if p.objects == nil {
			p.objects = map[string]map[fleet.ObjectKey]manifest.Object{}
		}
		p.objects[c.Name] = of
	}
	o, ok := of[key]
	return o, ok
}

// Remember has the set look at what the state's manifests say where state itself has only digests.
func (s *Set) Remember() { s.past = &past{} }

// recall finds the values that the object had when it was applied, of which state has only a digest: what the state's manifests say tells
// them, with what was noted of the apply. Where it does not, the cluster is asked, if there is one to ask.
func (r *Runner) recall(ctx context.Context, s *site, set Set, w *wanted, prior ClusterState, salt []byte) {
	if w.Record == nil {
		return
	}
	var sent ssa.Fields
	if o, ok := set.pastObject(prior.Cluster, w.Key); ok {
		if was, err := r.wantOne(ctx, s, set, o, prior, salt); err == nil {
			if sent, err = r.sentOf(was); err == nil {
				if fields := w.Record.Recall(was.Body, sent); fields != nil {
					w.Prior = fields
					return
				}
			}
		}
	}
	if s == nil {
		return
	}
	obj, absent := s.seen.lookup(w.Key)
	if obj == nil && !absent {
		var err error
		if obj, err = s.server.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name); err != nil {
			// What becomes of the object will be asked next, and what is wrong then said.
			if absent = apierrors.IsNotFound(err); !absent {
				return
			}
		}
	}
	if absent {
		w.Prior = nil
		return
	}
	parent, err := s.parent(ctx, false)
	if err != nil {
		return
	}
	if fields, err := s.projectBy(obj, prior, w.Key, parent, sent); err == nil {
		w.Prior = fields
	}
}

// drifted reads an object whose fields are not those that were applied. Those that others have taken are found by the state's manifests.
func (s *site) drifted(ctx context.Context, obj *unstructured.Unstructured, prior ClusterState, key fleet.ObjectKey, parent *inventory.Parent) (ssa.Fields, error) {
	o, ok := s.set.pastObject(prior.Cluster, key)
	if !ok {
		return s.projectBy(obj, prior, key, parent, nil)
	}
	was, err := s.runner.wantOne(ctx, s, s.set, o, prior, saltOf(parent))
	var sent ssa.Fields
	if err == nil {
		sent, err = s.runner.sentOf(was)
	}
	if err != nil {
		return s.projectBy(obj, prior, key, parent, nil)
	}
	return s.projectBy(obj, prior, key, parent, ssa.Predict(was.Body, sent, prior.Applied.record(key)))
}

// labelsOf are the labels that an object has, or had when it was applied.
func (s Set) labelsOf(c fleet.Cluster, key fleet.ObjectKey, fields ssa.Fields) map[string]string {
	if !fields.IsUnread() {
		return labelsOf(fields)
	}
	o, _ := s.pastObject(c, key)
	if o.Unstructured == nil {
		return nil
	}
	return o.GetLabels()
}
