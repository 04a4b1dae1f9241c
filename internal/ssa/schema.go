package ssa

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

var (
	// builtin knows the merge keys of the kinds Kubernetes itself serves; building it parses their schema, hence once.
	builtin = sync.OnceValue(func() managedfields.TypeConverter {
		return applyconfigurations.NewTypeConverter(scheme.Scheme)
	})
	deduced = managedfields.NewDeducedTypeConverter()
)

// identity are the fields that the API server never counts as owned.
var identity = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)

// SentSet is the set of fields an apply of the object would own, as far as can be told without asking a cluster:
// exact for built-in kinds; for others lists count as atomic.
func SentSet(obj *unstructured.Unstructured) (*fieldpath.Set, error) {
	converter := deduced
	if scheme.Scheme.Recognizes(obj.GroupVersionKind()) {
		converter = builtin()
	}
	typed, err := converter.ObjectToTyped(obj)
	if err != nil {
		if typed, err = deduced.ObjectToTyped(obj); err != nil {
			return nil, err
		}
	}
	set, err := typed.ToFieldSet()
	if err != nil {
		return nil, err
	}
	return set.Difference(identity), nil
}

// Sent projects the object as it will be sent to the values an API server would answer with, as far as can be told
// without asking one: quantities, durations and the like of built-in kinds take their canonical form.
func Sent(obj *unstructured.Unstructured, mask Mask) (Fields, error) {
	set, err := SentSet(obj)
	if err != nil {
		return nil, err
	}
	fields := Project(obj, set, mask)
	if canonical := canonicalize(obj); canonical != nil {
		for path, text := range Project(canonical, set, mask) {
			if _, ok := fields[path]; ok {
				fields[path] = text
			}
		}
	}
	return fields, nil
}

// canonicalize sends a built-in object through its Go type and back, which is what the API server does, too. It
// returns nil where the type is not known or does not fit; the API server then has the say.
func canonicalize(obj *unstructured.Unstructured) *unstructured.Unstructured {
	typed, err := scheme.Scheme.New(obj.GroupVersionKind())
	if err != nil {
		return nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, typed); err != nil {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil
	}
	return &unstructured.Unstructured{Object: content}
}
