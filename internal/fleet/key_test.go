package fleet_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func TestObjectKey(t *testing.T) {
	tests := map[string]fleet.ObjectKey{
		"Deployment.apps web/web":  {Group: "apps", Kind: "Deployment", Namespace: "web", Name: "web"},
		"ConfigMap shop/settings":  {Kind: "ConfigMap", Namespace: "shop", Name: "settings"},
		"Namespace shop":           {Kind: "Namespace", Name: "shop"},
		"Widget.example.org a.b-c": {Group: "example.org", Kind: "Widget", Name: "a.b-c"},
		"ClusterRole.rbac.authorization.k8s.io system:node reader": {Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "system:node reader"},
	}
	for text, key := range tests {
		t.Run(text, func(t *testing.T) {
			if got := key.String(); got != text {
				t.Errorf("printed %s", got)
			}
			got, err := fleet.ParseObjectKey(text)
			if err != nil {
				t.Fatal(err)
			}
			if got != key {
				t.Errorf("parsed %#v", got)
			}
		})
	}
	for _, text := range []string{"", "Pod", "Pod ", " web", " "} {
		if key, err := fleet.ParseObjectKey(text); err == nil {
			t.Errorf("%q is parsed as %#v", text, key)
		}
	}
}

func TestObjectKeysRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := fleet.ObjectKey{
			Group:     rapid.StringMatching(`([a-z0-9-]{1,5}(\.[a-z0-9-]{1,5}){0,3})?`).Draw(t, "group"),
			Kind:      rapid.StringMatching(`[A-Z][A-Za-z0-9]{0,8}`).Draw(t, "kind"),
			Namespace: rapid.StringMatching(`[a-z0-9-]{0,8}`).Draw(t, "namespace"),
			// What the server accepts as a segment of a URL's path.
			Name: rapid.StringMatching(`[^/%]{1,8}`).Draw(t, "name"),
		}
		got, err := fleet.ParseObjectKey(key.String())
		if err != nil {
			t.Fatal(err)
		}
		if got != key || got.Compare(key) != 0 {
			t.Fatalf("%#v is printed as %q and read as %#v", key, key, got)
		}
	})
}

func TestObjectKeyCompare(t *testing.T) {
	ordered := []fleet.ObjectKey{
		{Kind: "ConfigMap", Name: "b"},
		{Kind: "ConfigMap", Namespace: "a", Name: "a"},
		{Kind: "ConfigMap", Namespace: "a", Name: "b"},
		{Kind: "ConfigMap", Namespace: "b", Name: "a"},
		{Kind: "Secret", Name: "a"},
		{Group: "apps", Kind: "Deployment", Name: "a"},
	}
	if !slices.IsSortedFunc(ordered, fleet.ObjectKey.Compare) {
		t.Error("the order is not by group, kind, namespace and name")
	}
	for i, a := range ordered {
		for j, b := range ordered {
			if a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != (i == j) {
				t.Errorf("%s and %s compare as %d and %d", a, b, a.Compare(b), b.Compare(a))
			}
		}
	}
}
