package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// ParamsVariable is the variable that has the policy's parameters: variables.params.
const ParamsVariable = "params"

// Params makes a variable of parameters, a JSON text. The parameters stand in the policy itself and not in an object beside it, so
// that policy and parameters change together, and nobody can delete the ones without the other.
func Params(text string) (admissionregistrationv1.Variable, error) {
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&value)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is something after the value")
		}
	}
	if err != nil {
		return admissionregistrationv1.Variable{}, fmt.Errorf("params is not JSON: %w; write params = jsonencode({ ... })", err)
	}
	if _, ok := value.(map[string]any); !ok {
		return admissionregistrationv1.Variable{}, fmt.Errorf("params is %s; want a JSON object, such as jsonencode({ max_replicas = 5 })", text)
	}
	literal, err := literal(value)
	if err != nil {
		return admissionregistrationv1.Variable{}, fmt.Errorf("params: %w", err)
	}
	return admissionregistrationv1.Variable{Name: ParamsVariable, Expression: literal}, nil
}

// literal is the value in CEL. Values in lists and maps are dyn, because the API server's CEL takes no literals of mixed types.
func literal(v any) (string, error) {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			key, err := scalar(name)
			if err != nil {
				return "", err
			}
			text, err := literal(v[name])
			if err != nil {
				return "", err
			}
			parts = append(parts, key+": dyn("+text+")")
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			text, err := literal(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, "dyn("+text+")")
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	default:
		return scalar(v)
	}
}

// scalar prints a value as JSON does, which CEL reads the same way.
func scalar(v any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", fmt.Errorf("encode %v: %w", v, err)
	}
	return strings.TrimSpace(b.String()), nil
}
