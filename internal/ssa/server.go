package ssa

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Resource is where the API server serves a kind.
type Resource struct {
	schema.GroupVersionResource
	// Kind is the kind served there.
	Kind string
	// Namespaced tells whether its objects live in namespaces.
	Namespaced bool
}

// Server reads and writes objects of one cluster. It is safe for concurrent use.
type Server struct {
	rest rest.Interface
	// Manager is the field manager that applies.
	Manager string
}

// NewServer speaks through the client on behalf of the field manager.
func NewServer(client rest.Interface, manager string) *Server {
	return &Server{rest: client, Manager: manager}
}

func (r Resource) path(namespace, name string) string {
	parts := []string{"/apis", r.Group, r.Version}
	if r.Group == "" {
		parts = []string{"/api", r.Version}
	}
	if namespace != "" {
		parts = append(parts, "namespaces", namespace)
	}
	parts = append(parts, r.Resource)
	if name != "" {
		parts = append(parts, name)
	}
	return strings.Join(parts, "/")
}

// ApplyOptions say how an object is applied.
type ApplyOptions struct {
	// DryRun changes nothing on the cluster.
	DryRun bool
	// Force takes fields from other managers.
	Force bool
}

// Send applies the object as the manager's whole intent and returns what it became, and whether it was created. Unknown
// fields are refused. A field that another manager owns with another value is an apierrors.IsConflict error unless forced.
func (s *Server) Send(ctx context.Context, r Resource, obj *unstructured.Unstructured, o ApplyOptions) (*unstructured.Unstructured, bool, error) {
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return nil, false, fmt.Errorf("encode: %w", err)
	}
	req := s.rest.Patch(types.ApplyYAMLPatchType).AbsPath(r.path(obj.GetNamespace(), obj.GetName())).
		Param("fieldManager", s.Manager).Param("fieldValidation", metav1.FieldValidationStrict).Body(body)
	if o.DryRun {
		req = req.Param("dryRun", metav1.DryRunAll)
	}
	if o.Force {
		req = req.Param("force", "true")
	}
	var status int
	out, err := decode(req.Do(ctx).StatusCode(&status))
	return out, status == http.StatusCreated, err
}

// Get reads one object.
func (s *Server) Get(ctx context.Context, r Resource, namespace, name string) (*unstructured.Unstructured, error) {
	return decode(s.rest.Get().AbsPath(r.path(namespace, name)).Do(ctx))
}

// List reads all objects with the label selector, in one namespace or, with "", in all.
func (s *Server) List(ctx context.Context, r Resource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	return s.list(ctx, r, namespace, selector, "")
}

// metadataOnly asks for lists of what every object has, without specifications and data.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

// ListMetadata is List for whoever looks at nothing but the metadata of objects. A server that cannot leave the rest out does not.
func (s *Server) ListMetadata(ctx context.Context, r Resource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	return s.list(ctx, r, namespace, selector, metadataOnly)
}

func (s *Server) list(ctx context.Context, r Resource, namespace, selector, accept string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	err := s.each(ctx, r, namespace, selector, accept, func(obj *unstructured.Unstructured) { out = append(out, obj) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Each visits the objects that List reads, page by page, so that they need not be in memory together. They are of the resource's kind,
// where it names one: the items of a list do not all say what they are.
func (s *Server) Each(ctx context.Context, r Resource, namespace, selector string, visit func(*unstructured.Unstructured)) error {
	return s.each(ctx, r, namespace, selector, "", visit)
}

func (s *Server) each(ctx context.Context, r Resource, namespace, selector, accept string, visit func(*unstructured.Unstructured)) error {
	for next := ""; ; {
		req := s.rest.Get().AbsPath(r.path(namespace, "")).Param("labelSelector", selector).Param("limit", "500")
		if next != "" {
			req = req.Param("continue", next)
		}
		if accept != "" {
			req = req.SetHeader("Accept", accept)
		}
		raw, err := answer(req.Do(ctx))
		if err != nil {
			return err
		}
		var list unstructured.UnstructuredList
		if err := list.UnmarshalJSON(raw); err != nil {
			return fmt.Errorf("list %s: %w", r.Resource, err)
		}
		for i := range list.Items {
			if r.Kind != "" {
				list.Items[i].SetGroupVersionKind(r.GroupVersion().WithKind(r.Kind))
			}
			visit(&list.Items[i])
		}
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}

// Delete removes the object if it still has the uid. An object that is gone is no error.
func (s *Server) Delete(ctx context.Context, r Resource, namespace, name string, uid types.UID, propagation metav1.DeletionPropagation) error {
	body, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     metav1.NewUIDPreconditions(string(uid)),
		PropagationPolicy: &propagation,
	})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = answer(s.rest.Delete().AbsPath(r.path(namespace, name)).SetHeader("Content-Type", "application/json").Body(body).Do(ctx))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Release gives the object up without changing any value: the manager's entry leaves managedFields first, in the same
// write that takes the provider's marks away, so that nothing it applied counts as withdrawn. The write is refused when
// the object changed since it was read.
func (s *Server) Release(ctx context.Context, r Resource, live *unstructured.Unstructured) error {
	kept := slices.DeleteFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == s.Manager })
	var marks []map[string]any
	if _, ok := live.GetLabels()[fleet.PartOfLabel]; ok {
		marks = append(marks, map[string]any{"op": "remove", "path": "/metadata/labels/" + pointer(fleet.PartOfLabel)})
	}
	if _, ok := live.GetAnnotations()[fleet.CreatedAnnotation]; ok {
		marks = append(marks, map[string]any{"op": "remove", "path": "/metadata/annotations/" + pointer(fleet.CreatedAnnotation)})
	}
	_, err := s.rewrite(ctx, r, live, kept, marks)
	return err
}

// pointer escapes a name for a JSON pointer, RFC 6901.
func pointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// answer returns the body, or the API server's Status as the error it stands for.
func answer(result rest.Result) ([]byte, error) {
	if err := result.Error(); err != nil {
		return nil, err
	}
	return result.Raw()
}

func decode(result rest.Result) (*unstructured.Unstructured, error) {
	raw, err := answer(result)
	if err != nil {
		return nil, err
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("decode the API server's answer: %w", err)
	}
	return obj, nil
}
