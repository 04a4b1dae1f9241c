package override

import (
	"fmt"
)

// changedIdentity says which part of an object's identity is not what it was, and where it is in the object.
func changedIdentity(before, after map[string]any, confidential bool) (detail, path string) {
	for _, part := range []struct {
		path string
		of   func(map[string]any) (any, bool)
	}{
		{"apiVersion", apiGroup},
		{"kind", func(object map[string]any) (any, bool) { return object["kind"], true }},
		{"metadata.name", func(object map[string]any) (any, bool) { return metadataOf(object, "name") }},
		{"metadata.namespace", func(object map[string]any) (any, bool) { return metadataOf(object, "namespace") }},
	} {
		old, _ := part.of(before)
		changed, there := part.of(after)
		switch changed.(type) {
		case map[string]any, []any:
			there = false
		}
		if there && old == changed {
			continue
		}
		what := "this would make another object of it"
		switch {
		case !there || changed == nil:
			what = "this would leave the object without"
		case part.path == "apiVersion":
			what = "the API group has to stay; only the version may change"
		case !confidential && old != nil:
			what = fmt.Sprintf("this would be %s instead of %s, and so another object", shown(changed, false), shown(old, false))
		}
		return what + "; a patch has to keep the identity of the object, and for other objects on some clusters there are variants", part.path
	}
	return "", ""
}

func apiGroup(object map[string]any) (any, bool) {
	apiVersion, ok := object["apiVersion"].(string)
	if !ok || apiVersion == "" {
		return nil, false
	}
	return groupOf(apiVersion), true
}

// metadataOf returns an entry of the metadata; an empty one says the same as none.
func metadataOf(object map[string]any, name string) (any, bool) {
	metadata, ok := object["metadata"].(map[string]any)
	v := metadata[name]
	if v == "" {
		v = nil
	}
	return v, ok
}
