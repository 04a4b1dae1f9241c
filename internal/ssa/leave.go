package ssa

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Leave divides drift into what is to be corrected and what is only to be reported, and gives the body the live values of the latter.
func (w Wanted) Leave(body, live *unstructured.Unstructured, drift []Contention) (left *unstructured.Unstructured, corrected, reported []Contention, err error) {
	leave := fieldpath.NewSet()
	for _, c := range drift {
		path, err := fleet.ParsePath(c.Path)
		if err != nil {
			return nil, nil, nil, err
		}
		if w.Treat.drift(path) != fleet.DriftReport {
			corrected = append(corrected, c)
			continue
		}
		reported = append(reported, c)
		leave.Insert(path)
	}
	if len(reported) == 0 {
		return body, corrected, nil, nil
	}
	return grafted(without(body, leave), live, leave), corrected, reported, nil
}

// Recorded are the fields for the record, which has what is only reported as it is wanted.
func Recorded(fields Fields, reported []Contention) Fields {
	if len(reported) == 0 {
		return fields
	}
	recorded := maps.Clone(fields)
	for _, c := range reported {
		if recorded[c.Path] = c.To; c.To == "" {
			delete(recorded, c.Path)
		}
	}
	return recorded
}
