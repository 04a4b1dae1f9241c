package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Object is one Kubernetes object as the user wants it.
type Object struct {
	*unstructured.Unstructured
	// Key is the object's identity. Its namespace is the one written in the manifest: whether a default
	// applies depends on the scope of the kind, which only a cluster knows.
	Key fleet.ObjectKey
	// Position is where the object begins.
	Position Position
	// WriteOnly tells that nothing of its content may be stored.
	WriteOnly bool
	// Overridden is a digest of the overrides that made a write-only object what it is; empty where none did. Nothing else
	// tells that they have changed.
	Overridden string
}

// IsSecret tells whether the object's data must never be printed.
func (o Object) IsSecret() bool { return isSecret(o.Key.Group, o.Key.Kind) }

// Stage is the part of an apply the object belongs to.
func (o Object) Stage() Stage { return StageOf(o.Key.Group, o.Key.Kind) }

// IsSecret is Object.IsSecret for an object of which only the key is known.
func IsSecret(key fleet.ObjectKey) bool { return isSecret(key.Group, key.Kind) }

func isSecret(group, kind string) bool { return group == "" && kind == "Secret" }
