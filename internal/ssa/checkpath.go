package ssa

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// CheckPath says what is wrong with a pattern of field paths for the object's kind: a field that the kind does not have, an item of
// a list that is owned only as a whole, a key that the list's items do not have. Of kinds that are not built in nothing is known.
func CheckPath(obj *unstructured.Unstructured, pattern fleet.Pattern) error {
	kind := obj.GroupVersionKind()
	if !scheme.Scheme.Recognizes(kind) {
		return nil
	}
	bare := &unstructured.Unstructured{Object: map[string]any{"apiVersion": obj.GetAPIVersion(), "kind": obj.GetKind()}}
	typed, err := builtin().ObjectToTyped(bare)
	if err != nil {
		return nil //nolint:nilerr // a kind that the schema lacks is one of which nothing is known
	}
	return checkSteps(typed.Schema(), typed.TypeRef(), pattern.Steps(), kind.Kind)
}

func checkSteps(s *schema.Schema, at schema.TypeRef, steps []fleet.Step, sofar string) error {
	if len(steps) == 0 {
		return nil
	}
	atom, ok := s.Resolve(at)
	step := steps[0]
	switch {
	case !ok:
		return nil
	case step.Field != nil && atom.Map != nil:
		return checkField(s, atom.Map, steps, sofar)
	case step.Field == nil && atom.List != nil:
		return checkItem(s, atom.List, steps, sofar)
	case step.Field != nil && atom.List != nil:
		return fmt.Errorf("%s is a list; choose items of it as in [*] or [name=web]", sofar)
	case step.Field == nil && atom.Map != nil:
		return fmt.Errorf("%s is no list", sofar)
	}
	return fmt.Errorf("%s is a single value and has nothing below it", sofar)
}

func checkField(s *schema.Schema, m *schema.Map, steps []fleet.Step, sofar string) error {
	var names []string
	var last error
	found := false
	for _, f := range m.Fields {
		names = append(names, f.Name)
		if !steps[0].Field.Match(f.Name) {
			continue
		}
		found = true
		if last = checkSteps(s, f.Type, steps[1:], sofar+"."+f.Name); last == nil {
			return nil
		}
	}
	switch {
	case found:
		return last
	case m.ElementType != (schema.TypeRef{}):
		return checkSteps(s, m.ElementType, steps[1:], sofar+"."+steps[0].Field.String())
	}
	text := fmt.Sprintf("%s has no field %s", sofar, steps[0].Field)
	if name := fleet.Closest(steps[0].Field.String(), names); name != "" {
		text += "; did you mean " + name + "?"
	}
	return fmt.Errorf("%s", text)
}

func checkItem(s *schema.Schema, l *schema.List, steps []fleet.Step, sofar string) error {
	if l.ElementRelationship != schema.Associative {
		return fmt.Errorf("%s is a list that is owned only as a whole; name the list itself", sofar)
	}
	for _, key := range steps[0].Keys {
		if !slices.Contains(l.Keys, key) {
			return fmt.Errorf("items of %s are known by %s, not by %s", sofar, strings.Join(l.Keys, " and "), key)
		}
	}
	return checkSteps(s, l.ElementType, steps[1:], sofar+"[...]")
}
