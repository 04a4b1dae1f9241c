package ssa

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Stale is a reason to apply an object again although its fields may be as they should be.
type Stale string

// The reasons, as a read finds them.
const (
	// StaleLabel is an object that lost the label of its set.
	StaleLabel Stale = "label"
	// StaleUID is an object that was deleted and created anew by somebody.
	StaleUID Stale = "uid"
	// StaleYield is an object with a field that was left to another manager, which has given it up since.
	StaleYield Stale = "yield"
)

// Stale tells by the object as it is whether it has to be applied again, and why.
func (s *Server) Stale(obj *unstructured.Unstructured, record Record) (Stale, error) {
	switch {
	case record.UID != "" && record.UID != string(obj.GetUID()):
		return StaleUID, nil
	case obj.GetLabels()[fleet.PartOfLabel] == "":
		return StaleLabel, nil
	case len(record.Yielded) == 0:
		return "", nil
	}
	owners, err := Owners(obj)
	if err != nil {
		return "", err
	}
	for text := range record.Yielded {
		path, err := fleet.ParsePath(text)
		if err != nil {
			return "", err
		}
		if ownerOf(owners, path, s.Manager) == nil {
			return StaleYield, nil
		}
	}
	return "", nil
}
