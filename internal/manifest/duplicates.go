package manifest

import (
	"errors"
	"fmt"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// CheckDuplicates returns an error for each object that is in the set already, naming both places. An object
// without a namespace counts as one in the default namespace: for a kind without namespaces that changes nothing.
func CheckDuplicates(objects []Object, defaultNamespace string) error {
	var errs []error
	first := make(map[fleet.ObjectKey]Position, len(objects))
	for _, o := range objects {
		key := o.Key
		if key.Namespace == "" {
			key.Namespace = defaultNamespace
		}
		if before, ok := first[key]; ok {
			errs = append(errs, &Error{
				Position: o.Position,
				Message:  fmt.Sprintf("%s is in this set already, at %s; an object can be there only once", o.Key, before),
			})
			continue
		}
		first[key] = o.Position
	}
	return errors.Join(errs...)
}
