package ssa

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Record is what state keeps of one applied object, so that a later plan knows without asking whether anything
// changed, and what the API server makes of each field.
type Record struct {
	// UID is the object's uid; an object with another one is not the object that was applied.
	UID string `json:"u,omitempty"`
	// Created tells that the set created the object, so that it may delete it.
	Created bool `json:"c,omitempty"`
	// Sent is the digest of what was sent.
	Sent string `json:"s"`
	// Result is the digest of the fields that resulted.
	Result string `json:"r"`
	// Overlay has the fields that came out different from what was sent, by the sent path.
	Overlay map[string]Overlay `json:"o,omitempty"`
	// Yielded are the fields that were left to other managers, with the manager of each.
	Yielded map[string]string `json:"y,omitempty"`
	// Stale says why the object has to be applied again although its fields are as they should be; empty where it has not.
	Stale Stale `json:"t,omitempty"`
	// Replicas is the cluster's part of the object's replicas, where these are divided over the clusters.
	Replicas *int64 `json:"n,omitempty"`
	// Hidden tells that every value of the object is secret, and Hides is the digest of the fields that were to be hidden.
	Hidden bool   `json:"h,omitempty"`
	Hides  string `json:"m,omitempty"`
}

// Overlay is what the API server made of one sent field.
type Overlay struct {
	// Sent is the digest of the sent value; for another value the overlay says nothing.
	Sent string `json:"s"`
	// Fields are the resulting values by path.
	Fields map[string]json.RawMessage `json:"f,omitempty"`
}

// NewRecord remembers an apply: sent as Sent computed it, with the digest of the whole body, and the fields that
// resulted.
func NewRecord(object *unstructured.Unstructured, body string, sent, result Fields) Record {
	_, created := object.GetAnnotations()[fleet.CreatedAnnotation]
	r := Record{UID: string(object.GetUID()), Created: created, Sent: body, Result: result.Hash(), Overlay: map[string]Overlay{}}
	add := func(at, path, value string) {
		o, ok := r.Overlay[at]
		if !ok {
			o = Overlay{Sent: Digest(sent[at]), Fields: map[string]json.RawMessage{}}
			if at == "" {
				o.Sent = body
			}
			r.Overlay[at] = o
		}
		if path != "" {
			o.Fields[path] = json.RawMessage(value)
		}
	}
	for path, value := range result {
		if have, ok := sent[path]; !ok {
			add(owner(sent, path), path, value)
		} else if have != value {
			add(path, path, value)
		}
	}
	for path := range sent {
		if _, ok := result[path]; !ok {
			add(path, "", "")
		}
	}
	for at, o := range r.Overlay {
		// An overlay stands for the sent field, so it repeats the field's own value where that is there as well.
		if value, ok := result[at]; ok {
			o.Fields[at] = json.RawMessage(value)
		}
	}
	if len(r.Overlay) == 0 {
		r.Overlay = nil
	}
	return r
}

// owner finds the sent path that a resulting path lies below; "" where there is none.
func owner(sent Fields, path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			if _, ok := sent[path[:i]]; ok {
				return path[:i]
			}
		}
	}
	return ""
}

// Recall tells what the fields were that resulted when a body of this digest was sent, by what was noted of it; nil where that cannot be told.
func (r Record) Recall(body string, sent Fields) Fields {
	if r.Sent != body {
		return nil
	}
	fields := Predict(body, sent, &r)
	for path := range r.Yielded {
		delete(fields, path)
	}
	if fields.Hash() != r.Result {
		return nil
	}
	return fields
}

// Predict tells what the fields will be once sent is applied, from what an earlier apply made of the same values. It
// asks nobody, so that two plans of the same change agree.
func Predict(body string, sent Fields, record *Record) Fields {
	out := make(Fields, len(sent))
	for path, value := range sent {
		if record != nil {
			if o, ok := record.Overlay[path]; ok && o.Sent == Digest(value) {
				for p, v := range o.Fields {
					out[p] = string(v)
				}
				continue
			}
		}
		out[path] = value
	}
	if record != nil {
		if o, ok := record.Overlay[""]; ok && o.Sent == body {
			for p, v := range o.Fields {
				out[p] = string(v)
			}
		}
	}
	return out
}
