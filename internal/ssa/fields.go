package ssa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// longValue is the size in bytes from which a value is kept as its digest.
const longValue = 1024

// Fields are an object's values by field path, each as compact JSON. It is the flat form in which an object
// stands in state and plan.
type Fields map[string]string

// JSON prints the fields as one flat JSON object with sorted keys.
func (f Fields) JSON() string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, path := range slices.Sorted(maps.Keys(f)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(encode(path))
		b.WriteByte(':')
		b.WriteString(f[path])
	}
	b.WriteByte('}')
	return b.String()
}

// Text prints texts by field path in the form of Fields.JSON.
func Text(texts map[string]string) string {
	f := Fields{}
	for path, text := range texts {
		f[path] = encode(text)
	}
	return f.JSON()
}

// Hash is a short digest of the fields.
func (f Fields) Hash() string {
	if hash, ok := f[unread]; ok {
		return hash
	}
	return Digest(f.JSON())
}

// unread is the path under which fields have their digest of which nothing else is known. No field has it.
const unread = ""

// Unread are fields of which only the digest is known.
func Unread(hash string) Fields { return Fields{unread: hash} }

// IsUnread tells whether only the digest of the fields is known.
func (f Fields) IsUnread() bool {
	_, ok := f[unread]
	return ok
}

// ParseFields reads what JSON printed.
func ParseFields(text string) (Fields, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("fields of an object: %w", err)
	}
	f := make(Fields, len(raw))
	for path, value := range raw {
		f[path] = string(value)
	}
	return f, nil
}

// Digest is the short form of SHA-256 that records use: 16 hexadecimal digits.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// encode prints a JSON value compactly and leaves <, > and & readable.
func encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only values that came out of JSON get here.
		return encode(fmt.Sprint(v))
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Mask replaces values that must not be shown.
type Mask func(obj *unstructured.Unstructured, path fieldpath.Path, value string) string

// Project reads the values of the set's leaves from the object. Leaves that the object lacks are left out, and
// so is what the provider itself adds to every object.
func Project(obj *unstructured.Unstructured, set *fieldpath.Set, mask Mask) Fields {
	fields := Fields{}
	for path := range set.Leaves().All() {
		if hidden(path) {
			continue
		}
		v, ok := lookup(obj.Object, path)
		if !ok {
			continue
		}
		text := encode(v)
		if mask != nil {
			text = mask(obj, path, text)
		}
		if len(text) > longValue {
			text = encode(fmt.Sprintf("sha256:%s (%d bytes)", Digest(text), len(text)))
		}
		fields[fleet.FormatPath(path)] = text
	}
	return fields
}

func lookup(v any, path fieldpath.Path) (any, bool) {
	for _, e := range path {
		if e.FieldName != nil {
			m, _ := v.(map[string]any)
			var ok bool
			if v, ok = m[*e.FieldName]; !ok {
				return nil, false
			}
			continue
		}
		list, _ := v.([]any)
		i := itemAt(list, e)
		if i < 0 {
			return nil, false
		}
		v = list[i]
	}
	return v, true
}

func sameScalar(a, b any) bool {
	return reflect.DeepEqual(a, b) || encode(a) == encode(b)
}

// Difference is one field that is not as wanted.
type Difference struct {
	// Path is the field, in the grammar of fleet.FormatPath.
	Path string
	// From and To are the values as JSON; empty where the field is absent.
	From, To string
}

// Diff lists the fields in which two projections differ, sorted by path.
func Diff(from, to Fields) []Difference {
	var out []Difference
	for path, v := range from {
		if w, ok := to[path]; !ok || v != w {
			out = append(out, Difference{Path: path, From: v, To: w})
		}
	}
	for path, w := range to {
		if _, ok := from[path]; !ok {
			out = append(out, Difference{Path: path, To: w})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	return out
}
