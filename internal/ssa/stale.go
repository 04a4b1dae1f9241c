package ssa

import (
	"maps"

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
	// StaleRefused is an object that an agent could not apply, or that is delivered in another way than it should be.
	StaleRefused Stale = "refused"
)

// Reread is the record of an object in the light of what it is like now: it notes whether, and why, the object has to be applied
// again.
func (s *Server) Reread(obj *unstructured.Unstructured, record Record) (Record, error) {
	switch {
	case record.Stale == StaleYield:
		// Only an apply settles whose the field is.
		return record, nil
	case record.UID != "" && record.UID != string(obj.GetUID()):
		record.Stale = StaleUID
		return record, nil
	case obj.GetLabels()[fleet.PartOfLabel] == "":
		record.Stale = StaleLabel
		return record, nil
	}
	record.Stale = ""
	owners, err := Owners(obj)
	if err != nil {
		return record, err
	}
	for text := range record.Yielded {
		path, err := fleet.ParsePath(text)
		if err != nil {
			return record, err
		}
		if ownerOf(owners, path, s.Manager) == nil {
			// From now on the record speaks of the field as of one that is sent.
			record.Stale = StaleYield
			record.Yielded, record.Overlay = maps.Clone(record.Yielded), maps.Clone(record.Overlay)
			delete(record.Yielded, text)
			delete(record.Overlay, text)
		}
	}
	return record, nil
}
