package ssa

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Wanted is one object as it should be on one cluster, with what is known of it from before.
type Wanted struct {
	// Key identifies the object.
	Key fleet.ObjectKey
	// Resource is where it is served.
	Resource Resource
	// Object is the whole body without the creation mark; its part-of label names the set.
	Object *unstructured.Unstructured
	// Sent are the body's fields, as Sent computes them.
	Sent Fields
	// Body is the digest of what the user asked for.
	Body string
	// Record is what the last apply noted; nil where there was none.
	Record *Record
	// Prior are the live values that the last read found of what the set had applied; nil where the object was
	// not there.
	Prior Fields
	// Live is the object as last read; nil where it is not known or not there.
	Live *unstructured.Unstructured
	// Absent says that the object was just seen not to exist.
	Absent bool
	// Mask hides secret values.
	Mask Mask
	// Treat says how to treat what is not only the set's own.
	Treat Treatment
}

// Predicted is what the fields will be, by Predict and by what is known of fields that are left to others.
func (w Wanted) Predicted() Fields {
	fields := Predict(w.Body, w.Sent, w.Record)
	if w.Record == nil {
		return fields
	}
	for text := range w.Record.Yielded {
		if path, err := fleet.ParsePath(text); err == nil && w.Treat.conflicts(path) == fleet.ConflictsYield {
			delete(fields, text)
		}
	}
	if w.Treat.Drift == nil || w.Record.Sent != w.Body || w.Prior == nil {
		return fields
	}
	for _, d := range Diff(w.Prior, fields) {
		// What is only reported stays as it is.
		if path, err := fleet.ParsePath(d.Path); err == nil && w.Treat.drift(path) == fleet.DriftReport {
			if d.From == "" {
				delete(fields, d.Path)
			} else {
				fields[d.Path] = d.From
			}
		}
	}
	return fields
}

// Unchanged tells, without asking the cluster, that the object is as it was applied and applied as it is wanted.
func (w Wanted) Unchanged() bool {
	return w.Record != nil && w.Prior != nil && w.Record.Sent == w.Body && w.Record.Result == w.Prior.Hash() && w.Record.Stale == ""
}

// foreign says that the object belongs to another set; nil where it does not, and where it is not known.
func (w Wanted) foreign() error {
	if w.Live == nil {
		return nil
	}
	if set := w.Live.GetLabels()[fleet.PartOfLabel]; set != "" && set != w.Object.GetLabels()[fleet.PartOfLabel] {
		return &ForeignError{Set: set}
	}
	return nil
}

// Outcome is what an apply, or its dry run, made of an object.
type Outcome struct {
	// Object is what the API server answered.
	Object *unstructured.Unstructured
	// Fields are the values of what the set owns in it.
	Fields Fields
	// Created tells that the object did not exist.
	Created bool
	// Adopted tells that the object existed and belonged to no set.
	Adopted bool
	// Corrected are the drifted fields that were, or would be, put right, and Reported those that are left as they are.
	Corrected, Reported []Contention
	// Forced are the fields that were, or would be, taken from other managers.
	Forced []Contention
	// Yielded are the fields that are left to other managers, with the manager of each.
	Yielded map[string]string
	// Released are the fields that the set owned and owns no longer; their values stay.
	Released []string
	// Absorbed are the managers that the set took over from, and Dropped what they had applied and the manifest does not speak of.
	Absorbed []string
	Dropped  []Difference
	// Open tells of a preview that only an apply can tell what the fields become.
	Open bool
	// Recorded are the fields for the record: as Fields, but for what is only reported, which the record has as wanted.
	Recorded Fields
	// Live is the object as it was before, where it had to be read, and Before what the fields were then.
	Live   *unstructured.Unstructured
	Before Fields
}
