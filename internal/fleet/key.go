package fleet

import (
	"fmt"
	"strings"
)

// ObjectKey identifies one object on one cluster, whatever version of its API is used.
type ObjectKey struct {
	Group     string
	Kind      string
	Namespace string
	Name      string
}

// String prints the key as "Kind[.group] [namespace/]name", the form used in state, plans and messages.
func (k ObjectKey) String() string {
	var b strings.Builder
	b.WriteString(k.Kind)
	if k.Group != "" {
		b.WriteByte('.')
		b.WriteString(k.Group)
	}
	b.WriteByte(' ')
	if k.Namespace != "" {
		b.WriteString(k.Namespace)
		b.WriteByte('/')
	}
	b.WriteString(k.Name)
	return b.String()
}

// ParseObjectKey reads what String printed.
func ParseObjectKey(s string) (ObjectKey, error) {
	kind, name, ok := strings.Cut(s, " ")
	if !ok || kind == "" || name == "" {
		return ObjectKey{}, fmt.Errorf("object key %q: want \"Kind[.group] [namespace/]name\"", s)
	}
	var k ObjectKey
	k.Kind, k.Group, _ = strings.Cut(kind, ".")
	if ns, n, namespaced := strings.Cut(name, "/"); namespaced {
		k.Namespace, k.Name = ns, n
	} else {
		k.Name = name
	}
	if k.Kind == "" || k.Name == "" || k.String() != s {
		return ObjectKey{}, fmt.Errorf("object key %q: want \"Kind[.group] [namespace/]name\"", s)
	}
	return k, nil
}

// Compare orders keys by group, kind, namespace and name.
func (k ObjectKey) Compare(o ObjectKey) int {
	for _, pair := range [][2]string{{k.Group, o.Group}, {k.Kind, o.Kind}, {k.Namespace, o.Namespace}, {k.Name, o.Name}} {
		if c := strings.Compare(pair[0], pair[1]); c != 0 {
			return c
		}
	}
	return 0
}
