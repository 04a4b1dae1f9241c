package deploy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// wanted is one object of the set as one cluster is to have it.
type wanted struct {
	ssa.Wanted
	stage manifest.Stage
	// pending tells that the cluster will serve the kind only once this run has created its definition.
	pending bool
}

// want prepares the set's objects for a cluster. s is nil where the cluster cannot be asked; what is known of it must
// then do. The errors are the user's: a kind not served, a namespace missing or out of place.
func (r *Runner) want(ctx context.Context, s *site, set Set, prior ClusterState, salt []byte) ([]wanted, Problems) {
	defined := map[string]manifest.DefinedKind{}
	for _, d := range manifest.DefinedKinds(set.Objects) {
		defined[d.GroupKind.String()] = d
	}
	var out []wanted
	var found Problems
	name := prior.Cluster.Name
	for _, o := range set.Objects {
		w, err := r.wantOne(ctx, s, set, o, prior, defined, salt)
		if err != nil {
			found = append(found, Problem{Cluster: name, Object: &w.Key, Err: err})
			continue
		}
		out = append(out, w)
	}
	return out, append(found, duplicates(name, out)...)
}

func (r *Runner) wantOne(ctx context.Context, s *site, set Set, o manifest.Object, prior ClusterState, defined map[string]manifest.DefinedKind, salt []byte) (wanted, error) {
	w := wanted{Wanted: ssa.Wanted{Key: o.Key}, stage: o.Stage()}
	kind := o.GroupVersionKind()
	namespaced := false
	switch resource, err := r.resourceOf(ctx, s, kind, prior.Applied); {
	case err == nil:
		w.Resource, namespaced = resource, resource.Namespaced
	case r.comes(defined, prior.Cluster.Name, kind):
		w.pending, namespaced = true, defined[kind.GroupKind().String()].Namespaced
		if _, here := defined[kind.GroupKind().String()]; !here {
			namespaced = o.Key.Namespace != ""
		}
	default:
		return w, err
	}
	body := o.DeepCopy()
	switch {
	case namespaced && o.Key.Namespace == "" && set.Namespace == "":
		return w, fmt.Errorf("%s: %s is namespaced and names no namespace; set metadata.namespace, or the default in the argument namespace", o.Position, kind.Kind)
	case namespaced && o.Key.Namespace == "":
		body.SetNamespace(set.Namespace)
		w.Key.Namespace = set.Namespace
	case !namespaced && o.Key.Namespace != "" && !w.pending:
		return w, fmt.Errorf("%s: %s is cluster-scoped, but metadata.namespace is %q; remove it", o.Position, kind.Kind, o.Key.Namespace)
	}
	secret := o.IsSecret()
	if secret {
		w.Mask = mask(salt)
		w.Body = manifest.SaltedHash(string(salt), body)
	} else {
		w.Body = manifest.Hash(body)
	}
	labels := body.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[fleet.PartOfLabel] = inventory.ID(set.Inventory, set.Name)
	body.SetLabels(labels)
	w.Object = body
	w.Record = prior.Applied.record(w.Key)
	w.Prior = prior.Objects[w.Key]
	sent, err := ssa.Sent(body, w.Mask)
	if err != nil {
		return w, fmt.Errorf("%s: %w", o.Position, err)
	}
	w.Sent = sent
	return w, nil
}

// resourceOf asks the site, or what was noted where there is none.
func (r *Runner) resourceOf(ctx context.Context, s *site, kind schema.GroupVersionKind, applied Applied) (ssa.Resource, error) {
	if s != nil {
		return s.resource(ctx, kind)
	}
	if served, ok := applied.Kinds[kind.GroupKind().String()]; ok {
		return served.at(kind.GroupKind()), nil
	}
	return ssa.Resource{}, errNotKnown
}

// errNotKnown says that only the cluster could tell.
var errNotKnown = errors.New("the cluster cannot be asked where it serves the kind")

// comes tells whether this run defines the kind on the cluster.
func (r *Runner) comes(defined map[string]manifest.DefinedKind, cluster string, kind schema.GroupVersionKind) bool {
	if d, ok := defined[kind.GroupKind().String()]; ok && slices.Contains(d.Versions, kind.Version) {
		return true
	}
	return r.promisedKind(cluster, kind.GroupKind().String())
}

// duplicates finds objects that turn out to be one once the default namespace is applied.
func duplicates(cluster string, list []wanted) Problems {
	var found Problems
	seen := map[fleet.ObjectKey]bool{}
	for _, w := range list {
		if seen[w.Key] {
			found = append(found, Problem{Cluster: cluster, Object: &w.Key, Err: errors.New("the object stands more than once in the set; remove all but one")})
		}
		seen[w.Key] = true
	}
	return found
}

// mask replaces a Secret's values by digests that nobody without the cluster's salt can try values against.
func mask(salt []byte) ssa.Mask {
	return func(_ *unstructured.Unstructured, path fieldpath.Path, value string) string {
		if len(path) == 0 || path[0].FieldName == nil || *path[0].FieldName != "data" {
			return value
		}
		mac := hmac.New(sha256.New, salt)
		mac.Write([]byte(fleet.FormatPath(path)))
		mac.Write([]byte{0})
		mac.Write([]byte(value))
		return `"(sensitive ` + hex.EncodeToString(mac.Sum(nil)[:8]) + `)"`
	}
}

// namespaceDefined tells whether the namespace is created by this run on the cluster.
func (r *Runner) namespaceDefined(set Set, cluster, namespace string) bool {
	return slices.Contains(manifest.DefinedNamespaces(set.Objects), namespace) || r.promisedNamespace(cluster, namespace)
}
