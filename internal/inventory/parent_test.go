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

// TestTooling wants what KEP-3659 does: "<tool>/<semver>".
func TestTooling(t *testing.T) {
	for release, want := range map[string]string{
		"1.2.3": "terraform-provider-fleet/v1.2.3", "v1.2.3-rc.1": "terraform-provider-fleet/v1.2.3-rc.1", "dev": "terraform-provider-fleet/v0.0.0-dev", "": "terraform-provider-fleet/v0.0.0-dev",
	} {
		if got := tooling(release); got != want {
			t.Errorf("%q: got %s, want %s", release, got, want)
		}
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
