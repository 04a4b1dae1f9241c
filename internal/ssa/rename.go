package ssa

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// As speaks through the same client on behalf of another field manager.
func (s *Server) As(manager string) *Server { return &Server{rest: s.rest, Manager: manager} }

// Rename hands the object from this manager to another and to the set with that part-of id, in one write that changes no value. It is
// refused when the object changed since it was read.
func (s *Server) Rename(ctx context.Context, r Resource, live *unstructured.Unstructured, to, partOf string) error {
	entries := live.GetManagedFields()
	renamed := make([]metav1.ManagedFieldsEntry, 0, len(entries))
	for _, e := range entries {
		if e.Manager == s.Manager {
			e.Manager = to
		}
		renamed = append(renamed, e)
	}
	var more []map[string]any
	if len(live.GetLabels()) == 0 {
		more = append(more, map[string]any{"op": "add", "path": "/metadata/labels", "value": map[string]string{}})
	}
	more = append(more, map[string]any{"op": "add", "path": "/metadata/labels/" + pointer(fleet.PartOfLabel), "value": partOf})
	_, err := s.As(to).rewrite(ctx, r, live, renamed, more)
	return err
}
