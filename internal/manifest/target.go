package manifest

import "github.com/fleetform/terraform-provider-fleet/internal/fleet"

// Target chooses objects. All that is set must hold; an empty target chooses every object.
type Target struct {
	// Group is the API group, "" being the core group; nil is any group.
	Group *string `json:"group,omitempty"`
	// Kind is the kind; empty is any.
	Kind string `json:"kind,omitempty"`
	// Namespace and Name are globs; nil is any.
	Namespace *fleet.Glob `json:"namespace,omitempty"`
	Name      *fleet.Glob `json:"name,omitempty"`
	// MatchLabels are labels the object must have.
	MatchLabels map[string]string `json:"match_labels,omitempty"`
}

// Matches tells whether the target chooses the object with the key and the labels.
func (t Target) Matches(key fleet.ObjectKey, labels map[string]string) bool {
	switch {
	case t.Group != nil && *t.Group != key.Group,
		t.Kind != "" && t.Kind != key.Kind,
		t.Namespace != nil && !t.Namespace.Match(key.Namespace),
		t.Name != nil && !t.Name.Match(key.Name):
		return false
	}
	for name, value := range t.MatchLabels {
		if have, ok := labels[name]; !ok || have != value {
			return false
		}
	}
	return true
}
