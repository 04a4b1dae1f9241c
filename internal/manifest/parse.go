package manifest

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Parse reads texts of any number of YAML or JSON documents. Documents without content are skipped, and objects
// of a List kind are taken apart. The error joins an *Error for each thing that is wrong, so that all can be put
// right at once; with an error there are no objects. The objects come in the order in which they were written.
func Parse(texts []string) ([]Object, []Warning, error) {
	// What was decoded is used once, so there is no need for a copy.
	return Decode("", texts).Objects(func(document map[string]any) (map[string]any, []FieldError) { return document, nil })
}

// FieldError says what is wrong with one field of a document.
type FieldError struct {
	Path    fieldpath.Path
	Message string
}

// parser collects objects, and what is wrong with them.
type parser struct {
	objects  []Object
	warnings []Warning
	errs     []*Error
}

func (p *parser) fail(at Position, field, message string) {
	p.errs = append(p.errs, &Error{Position: at, Field: field, Message: message})
}

// shift moves the line of a node and all it contains.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
}

var fileName = regexp.MustCompile(`^[\w./~-]+\.(ya?ml|json)$`)

func notMapping(v any) string {
	switch v := v.(type) {
	case string:
		if fileName.MatchString(v) {
			return fmt.Sprintf("the text is only the name %s; to read that file, write file(%q)", v, v)
		}
		return "the document is a bare string; want a mapping with apiVersion, kind and metadata"
	case []any:
		return "the document is a list; want one object per document, separated by ---, or kind: List with items"
	default:
		return "the document is a single number or boolean; want a mapping with apiVersion, kind and metadata"
	}
}
