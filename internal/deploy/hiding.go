package deploy

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// hiding says which values of an object are never shown.
type hiding struct {
	// secret is an object of kind Secret: its data.
	secret bool
	// all is an object that came write-only: everything.
	all bool
	// paths are the fields that the set calls sensitive.
	paths []fleet.Pattern
}

func (h hiding) any() bool { return h.secret || h.all || len(h.paths) > 0 }

// everything is what the mark says of an object all of whose values are hidden.
const everything = "*"

// text is what the object's mark says, for whoever reads the object without the set's state; empty where there is nothing to say.
func (h hiding) text() string {
	if h.all {
		return everything
	}
	texts := make([]string, 0, len(h.paths))
	for _, p := range h.paths {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, "\n")
}

// noted tells whether the record was made with the same fields hidden.
func (h hiding) noted(r ssa.Record) bool {
	text := h.text()
	return text == "" && r.Hides == "" || text != "" && r.Hides == ssa.Digest(text)
}

// marked adds what the object's mark says. A mark that does not parse hides everything.
func (h hiding) marked(text string) hiding {
	for line := range strings.SplitSeq(text, "\n") {
		pattern, err := fleet.ParsePattern(line)
		if line == everything || err != nil {
			h.all = true
			return h
		}
		h.paths = append(h.paths[:len(h.paths):len(h.paths)], pattern)
	}
	return h
}

func (h hiding) hides(path fieldpath.Path) bool {
	inData := len(path) > 0 && path[0].FieldName != nil && *path[0].FieldName == "data"
	return h.all || h.secret && inData || fleet.MatchAny(h.paths, path)
}

// mask replaces hidden values by digests that nobody without the cluster's salt can try values against.
func (h hiding) mask(salt string) ssa.Mask {
	if !h.any() {
		return nil
	}
	return func(_ *unstructured.Unstructured, path fieldpath.Path, value string) string {
		if !h.hides(path) {
			return value
		}
		mac := hmac.New(sha256.New, []byte(salt))
		mac.Write([]byte(fleet.FormatPath(path)))
		mac.Write([]byte{0})
		mac.Write([]byte(value))
		return digestPrefix + hex.EncodeToString(mac.Sum(nil)[:8]) + `)"`
	}
}

// redact takes the hidden values out of what an API server or an admission policy says, which may repeat what it was sent.
func (h hiding) redact(obj *unstructured.Unstructured, err error) error {
	if err == nil || !h.any() {
		return err
	}
	text := h.redactText(obj, err.Error())
	if text == err.Error() {
		return err
	}
	var conflict *ssa.ConflictError
	var foreign *ssa.ForeignError
	if errors.As(err, &conflict) || errors.As(err, &foreign) {
		return err
	}
	return errors.New(text)
}

// redactText takes the hidden values out of a text.
func (h hiding) redactText(obj *unstructured.Unstructured, text string) string {
	return redacted(h.values(obj), text)
}

// values are what may not be shown of the object, in each of the forms in which servers repeat it, for redacted.
func (h hiding) values(obj *unstructured.Unstructured) []string {
	if !h.any() {
		return nil
	}
	var values []string
	add := func(value string) {
		// A value of a letter or two would tear every message apart, and is no secret.
		if len(value) > 3 {
			// API servers print values as Go does, and parts of objects as JSON.
			quoted := strconv.Quote(value)
			values = append(values, value, quoted[1:len(quoted)-1])
			if text, err := json.Marshal(value); err == nil {
				values = append(values, string(text[1:len(text)-1]))
			}
		}
	}
	each(obj.Object, nil, func(path fieldpath.Path, value string) {
		if !h.hides(path) || names(path) {
			return
		}
		add(value)
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			add(string(plain))
		}
	})
	// The longest first, so that no value is left with an end that another does not have.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(values)
}

// redacted is a text without the values.
func redacted(values []string, text string) string {
	for _, value := range values {
		text = strings.ReplaceAll(text, value, "(sensitive)")
	}
	return text
}

// names tells of a field whether it names the object or its writers. That stands in plans anyway, and without it no message would
// say what it is about.
func names(path fieldpath.Path) bool {
	top := func(name string) bool { return path[0].FieldName != nil && *path[0].FieldName == name }
	if len(path) == 0 || top("apiVersion") || top("kind") {
		return true
	}
	if !top("metadata") || len(path) < 2 || path[1].FieldName == nil {
		return false
	}
	return !slices.Contains([]string{"annotations", "labels"}, *path[1].FieldName) ||
		len(path) == 3 && path[2].FieldName != nil && slices.Contains([]string{fleet.PartOfLabel, fleet.HiddenAnnotation, fleet.SentAnnotation}, *path[2].FieldName)
}

// each visits the leaves of a value that are texts or numbers.
func each(v any, path fieldpath.Path, visit func(fieldpath.Path, string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			each(child, append(path[:len(path):len(path)], fieldpath.PathElement{FieldName: &name}), visit)
		}
	case []any:
		for i, child := range v {
			each(child, append(path[:len(path):len(path)], fieldpath.PathElement{Index: &i}), visit)
		}
	case string:
		visit(path, v)
	case int64:
		visit(path, strconv.FormatInt(v, 10))
	case float64:
		visit(path, strconv.FormatFloat(v, 'g', -1, 64))
	}
}
