package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Step is a request as scripts have it.
type Step struct {
	// Note says what the request is to show.
	Note string `json:"note"`
	// Save names the answer, so that later steps can refer to it: {{a.uid}}, {{a.resourceVersion}} or {{list.continue}}. {{name}} is the
	// namespace.
	Save string `json:"save"`
	// Request has the method, and the path with its query.
	Request string `json:"request"`
	// ContentType is that of an apply by default in a PATCH, and JSON otherwise.
	ContentType string `json:"contentType"`
	Accept      string `json:"accept"`
	// Body is the body; a text is sent as it is.
	Body any `json:"body"`
	// Until is the status that is waited for.
	Until int `json:"until"`
}

// applyType is the content type of an apply.
const applyType = "application/apply-patch+yaml"

// Run sends a script's requests and returns what was answered.
func Run(ctx context.Context, target Target, file, name string) ([]Exchange, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the script: %w", err)
	}
	var steps []Step
	if err := yaml.UnmarshalStrict(text, &steps); err != nil {
		return nil, fmt.Errorf("read the script %s: %w", file, err)
	}
	saved := map[string]string{"name": name}
	var exchanges []Exchange
	for i, step := range steps {
		x, err := step.exchange(saved)
		if err != nil {
			return nil, fmt.Errorf("%s, step %d: %w", file, i+1, err)
		}
		if x, err = target.until(ctx, x, step.Until); err != nil {
			return nil, fmt.Errorf("%s, step %d (%s): %w", file, i+1, step.Note, err)
		}
		x.Eventually = step.Until != 0
		if step.Save != "" {
			save(saved, step.Save, x.Answer)
		}
		exchanges = append(exchanges, x)
	}
	return exchanges, nil
}

var reference = regexp.MustCompile(`\{\{([a-zA-Z.]+)\}\}`)

func (s Step) exchange(saved map[string]string) (Exchange, error) {
	var missing string
	fill := func(text string) string {
		return reference.ReplaceAllStringFunc(text, func(found string) string {
			value, ok := saved[strings.Trim(found, "{}")]
			if !ok {
				missing = found
			}
			return value
		})
	}
	method, path, _ := strings.Cut(s.Request, " ")
	x := Exchange{Note: s.Note, Method: method, Path: fill(path), ContentType: s.ContentType, Accept: s.Accept}
	if text, ok := s.Body.(string); ok {
		x.Body = Text(fill(text))
	} else if s.Body != nil {
		body, err := json.Marshal(s.Body)
		if err != nil {
			return x, err
		}
		x.Body = Text(fill(string(body)))
	}
	if x.ContentType == "" && x.Body != "" {
		if x.ContentType = "application/json"; method == http.MethodPatch {
			x.ContentType = applyType
		}
	}
	if missing != "" {
		return x, fmt.Errorf("%s is nothing that was saved", missing)
	}
	return x, nil
}

func save(saved map[string]string, as string, answer Text) {
	var object struct {
		Metadata map[string]any `json:"metadata"`
	}
	if json.Unmarshal([]byte(answer), &object) != nil {
		return
	}
	for _, field := range []string{"uid", "resourceVersion", "continue"} {
		if value, ok := object.Metadata[field].(string); ok {
			saved[as+"."+field] = value
		}
	}
}
