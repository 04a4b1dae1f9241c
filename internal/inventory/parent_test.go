package inventory

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestID pins the id to what kubectl computes for the same parent: base64url(sha256("fleet-web.fleet-system.Secret.")).
func TestID(t *testing.T) {
	if got, want := ID("fleet-system", "web"), "applyset-3FjXvb16k4bLXC2F6b9JOZzbLblIURqF1bTzW3FBNqw-v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInclude(t *testing.T) {
	p := &Parent{}
	apps := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	p.Include([]schema.GroupKind{apps, {Kind: "Service"}, apps}, []string{"b", "a", "b"})
	if len(p.Kinds) != 2 || len(p.Namespaces) != 2 || p.Kinds[0].Kind != "Service" {
		t.Errorf("got %v %v", p.Kinds, p.Namespaces)
	}
}
