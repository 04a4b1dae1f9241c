package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Parse reads texts of any number of YAML or JSON documents. Documents without content are skipped, and objects
// of a List kind are taken apart. The error joins an *Error for each thing that is wrong, so that all can be put
// right at once; with an error there are no objects. The objects come in the order in which they were written.
func Parse(texts []string) ([]Object, []Warning, error) { return ParseWith(texts, nil) }

// FieldError says what is wrong with one field of a document.
type FieldError struct {
	Path    fieldpath.Path
	Message string
}

// ParseWith is Parse with a step in between: each document, as it was decoded, goes through prepare before it is looked at. What
// prepare returns as errors is reported at the lines of the fields.
func ParseWith(texts []string, prepare func(document map[string]any) (map[string]any, []FieldError)) ([]Object, []Warning, error) {
	p := parser{prepare: prepare}
	for i, text := range texts {
		p.text(i, text)
	}
	if len(p.errs) > 0 {
		slices.SortStableFunc(p.errs, func(a, b *Error) int {
			return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Field, b.Field))
		})
		errs := make([]error, len(p.errs))
		for i, err := range p.errs {
			errs[i] = err
		}
		return nil, nil, errors.Join(errs...)
	}
	return p.objects, p.warnings, nil
}

type parser struct {
	prepare  func(document map[string]any) (map[string]any, []FieldError)
	objects  []Object
	warnings []Warning
	errs     []*Error
}

func (p *parser) fail(at Position, field, message string) {
	p.errs = append(p.errs, &Error{Position: at, Field: field, Message: message})
}

func (p *parser) text(index int, text string) {
	at := Position{Manifest: index}
	for _, c := range split(text) {
		c.text = withoutEscapes(c.text)
		decoder := yaml.NewDecoder(strings.NewReader(c.text))
		for {
			var document yaml.Node
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			at.Document++
			if err != nil {
				at.Line = c.line + lineOf(err, c.text)
				p.fail(at, "", explain(err))
				break
			}
			shift(&document, c.line)
			p.document(at, document.Content[0])
		}
	}
}

// shift moves the line of a node and all it contains.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
}

func (p *parser) document(at Position, root *yaml.Node) {
	at.Line = root.Line
	d := newDecoder(func(line int, field, message string) {
		p.fail(Position{Manifest: at.Manifest, Document: at.Document, Line: line}, field, message)
	})
	v := d.value(root)
	if d.endless {
		return
	}
	switch v := v.(type) {
	case nil, invalid:
	case map[string]any:
		if p.prepare != nil {
			prepared, errs := p.prepare(v)
			for _, err := range errs {
				p.fail(Position{Manifest: at.Manifest, Document: at.Document, Line: find(root, err.Path).Line}, fleet.FormatPath(err.Path), err.Message)
			}
			if v = prepared; len(errs) > 0 {
				return
			}
		}
		p.object(at, root, v)
	default:
		p.fail(at, "", notMapping(v))
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
