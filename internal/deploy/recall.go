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
		var err error
		if p.renderer, err = s.rendererOf(*s.Before); err != nil {
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

// wasSent is what the state's manifests have sent of an object, and its digest; nil where nobody can tell.
func (r *Runner) wasSent(ctx context.Context, s *site, set Set, prior ClusterState, key fleet.ObjectKey, salt []byte) (body string, sent ssa.Fields) {
	o, ok := set.pastObject(prior.Cluster, key)
	if !ok {
		return "", nil
	}
	was, err := r.wantOne(ctx, s, set, o, prior, salt)
	if err != nil {
		return "", nil
	}
	if sent, err = r.sentOf(was); err != nil {
		return "", nil
	}
	return was.Body, sent
}

// recall finds the values that the object had when it was applied, of which state has only a digest: what the state's manifests say tells
// them, with what was noted of the apply. Where it does not, the cluster is asked, if there is one to ask.
func (r *Runner) recall(ctx context.Context, s *site, set Set, w *wanted, prior ClusterState, salt []byte) {
	if w.Record == nil {
		return
	}
	body, sent := r.wasSent(ctx, s, set, prior, w.Key, salt)
	if fields := w.Record.Recall(body, sent); sent != nil && fields != nil {
		w.Prior = fields
		return
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
	body, sent := s.runner.wasSent(ctx, s, s.set, prior, key, saltOf(parent))
	if sent != nil {
		sent = ssa.Predict(body, sent, prior.Applied.record(key))
	}
	return s.projectBy(obj, prior, key, parent, sent)
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
