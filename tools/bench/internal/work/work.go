// Package work is what the contestants of a benchmark have to put on every cluster: a realistic mix of objects, and the
// edits and drifts that follow. It is pure.
package work

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Label is on every object, with the name of the work as its value, so that a kind is one LIST.
const Label = "app.kubernetes.io/part-of"

// mix is the kinds of the objects below the namespace, in turn: what a team's namespace holds.
var mix = []string{
	"ConfigMap", "Deployment", "Service", "ServiceAccount", "ConfigMap", "ConfigMap", "Deployment", "Service", "Role", "RoleBinding",
	"ConfigMap", "Deployment", "Service", "ServiceAccount", "ConfigMap", "ConfigMap", "Deployment", "Service", "ConfigMap", "ConfigMap",
}

// Work is what is to be put on every cluster.
type Work struct {
	// Name is the work's own name, its namespace and the value of Label.
	Name string
	// Objects is how many there are on a cluster, the namespace included.
	Objects int
	// Version is a label of every object: another one is a change of all.
	Version string
	// Image is the tag of the first Deployment's image: another one is a change of one object.
	Image string
}

// New is the work before any edit.
func New(name string, objects int) Work {
	return Work{Name: name, Objects: objects, Version: "1.0.0", Image: "1.0.0"}
}

// Object is one object of the work, and how the client-go loop addresses it.
type Object struct {
	// Resource is where the API server has objects of its kind.
	Resource schema.GroupVersionResource
	// Drift is a merge patch that changes one field; nil for kinds that are left alone.
	Drift []byte
	// Content is what is sent.
	Content *unstructured.Unstructured
}

// List makes the objects, the namespace first.
func (w Work) List() []Object {
	list := make([]Object, 0, w.Objects)
	for i := range w.Objects {
		kind := "Namespace"
		if i > 0 {
			kind = mix[(i-1)%len(mix)]
		}
		list = append(list, w.object(kind, i))
	}
	return list
}

func (w Work) object(kind string, i int) Object {
	made := kinds[kind]
	name := fmt.Sprintf("%s-%02d", made.stem, i)
	metadata := map[string]any{"name": name, "namespace": w.Name}
	if kind == "Namespace" {
		metadata = map[string]any{"name": w.Name}
	}
	metadata["labels"] = map[string]any{
		Label: w.Name, "app.kubernetes.io/name": name, "app.kubernetes.io/version": w.Version,
	}
	content := map[string]any{"apiVersion": made.resource.GroupVersion().String(), "kind": kind, "metadata": metadata}
	if made.fill != nil {
		made.fill(w, i, name, content)
	}
	object := Object{Resource: made.resource, Content: &unstructured.Unstructured{Object: content}}
	if made.drift != "" {
		object.Drift = []byte(made.drift)
	}
	return object
}

// YAML is the objects as one text of several documents.
func YAML(objects []Object) ([]byte, error) {
	var text bytes.Buffer
	for i, object := range objects {
		if i > 0 {
			text.WriteString("---\n")
		}
		document, err := yaml.Marshal(object.Content.Object)
		if err != nil {
			return nil, fmt.Errorf("writing %s %s: %w", object.Content.GetKind(), object.Content.GetName(), err)
		}
		text.Write(document)
	}
	return text.Bytes(), nil
}

// Resources are the places of the work's kinds, each once, in the order of their first object.
func Resources(objects []Object) []schema.GroupVersionResource {
	var list []schema.GroupVersionResource
	seen := map[schema.GroupVersionResource]bool{}
	for _, object := range objects {
		if !seen[object.Resource] {
			seen[object.Resource] = true
			list = append(list, object.Resource)
		}
	}
	return list
}

// EditOne changes one line of one object.
func (w Work) EditOne() Work {
	w.Image = "1.0.1"
	return w
}

// EditAll changes one line of every object.
func (w Work) EditAll() Work {
	w.Version = "1.1.0"
	return w
}

// FirstDeployment is the index of the object that EditOne changes; -1 when the work is too small to have one.
func FirstDeployment(objects []Object) int {
	for i, object := range objects {
		if object.Content.GetKind() == "Deployment" {
			return i
		}
	}
	return -1
}
