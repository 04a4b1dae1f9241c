package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Documents are texts that were decoded once, to make objects of them several times: for each cluster with another preparation. They may
// be used by several goroutines at once.
type Documents struct {
	list []document
	errs []*Error
}

type document struct {
	position Position
	root     *yaml.Node
	content  map[string]any
}

// Prepare makes of a document what is looked at. The result is the caller's to change, so it shares nothing with the document.
type Prepare func(document map[string]any) (map[string]any, []FieldError)

// Decode reads texts of any number of YAML or JSON documents. argument is what errors call the list of texts, such as
// "variants[0].manifests"; what is wrong with the texts is said by Objects.
func Decode(argument string, texts []string) *Documents {
	d := &Documents{}
	for i, text := range texts {
		d.text(Position{Argument: argument, Manifest: i}, text)
	}
	return d
}

func (d *Documents) fail(at Position, field, message string) {
	d.errs = append(d.errs, &Error{Position: at, Field: field, Message: message})
}

func (d *Documents) text(at Position, text string) {
	for _, c := range split(text) {
		c.text = withoutEscapes(c.text)
		decoder := yaml.NewDecoder(strings.NewReader(c.text))
		for {
			var node yaml.Node
			err := decoder.Decode(&node)
			if errors.Is(err, io.EOF) {
				break
			}
			at.Document++
			if err != nil {
				at.Line = c.line + lineOf(err, c.text)
				d.fail(at, "", explain(err))
				break
			}
			shift(&node, c.line)
			d.document(at, node.Content[0])
		}
	}
}

func (d *Documents) document(at Position, root *yaml.Node) {
	at.Line = root.Line
	decoder := newDecoder(func(line int, field, message string) { d.fail(at.onLine(line), field, message) })
	v := decoder.value(root)
	if decoder.endless {
		return
	}
	switch v := v.(type) {
	case nil, invalid:
	case map[string]any:
		d.list = append(d.list, document{position: at, root: root, content: v})
	default:
		d.fail(at, "", notMapping(v))
	}
}

// Each calls f with every document, which f must not change.
func (d *Documents) Each(f func(document map[string]any)) {
	for _, one := range d.list {
		f(one.content)
	}
}

// Objects makes objects of the documents, as Parse does, each after its preparation. What the preparation returns as errors is reported
// at the lines of the fields.
func (d *Documents) Objects(prepare Prepare) ([]Object, []Warning, error) {
	p := parser{errs: slices.Clone(d.errs)}
	for _, one := range d.list {
		content, errs := prepare(one.content)
		for _, err := range errs {
			p.fail(one.position.onLine(find(one.root, err.Path).Line), fleet.FormatPath(err.Path), err.Message)
		}
		if len(errs) == 0 {
			p.object(one.position, one.root, content)
		}
	}
	if len(p.errs) > 0 {
		return nil, nil, joined(p.errs)
	}
	return p.objects, p.warnings, nil
}

func joined(list []*Error) error {
	slices.SortStableFunc(list, func(a, b *Error) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Field, b.Field))
	})
	errs := make([]error, len(list))
	for i, err := range list {
		errs[i] = err
	}
	return errors.Join(errs...)
}

// Changed reads an object again whose content was changed after it was parsed, such as by a patch, as strictly as Parse. The content becomes
// the object's. The error joins an *Error for each thing that is wrong, all at the object's position.
func Changed(o Object, content map[string]any) (Object, error) {
	p := parser{}
	p.object(o.Position, &yaml.Node{}, content)
	for _, err := range p.errs {
		err.Position = o.Position
	}
	switch {
	case len(p.errs) > 0:
		return o, joined(p.errs)
	case len(p.objects) != 1:
		return o, fmt.Errorf("%s: %s became %d objects", o.Position, o.Key, len(p.objects))
	}
	changed := p.objects[0]
	changed.Position, changed.WriteOnly = o.Position, o.WriteOnly
	return changed, nil
}

// Copy returns a copy of what a document holds that shares no map and no list with it.
func Copy(document map[string]any) map[string]any {
	copied, _ := copyOf(document).(map[string]any)
	return copied
}

// copyOf also copies what stands for values that could not be read, as the copying of apimachinery does not.
func copyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, item := range v {
			copied[key] = copyOf(item)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = copyOf(item)
		}
		return copied
	}
	return v
}
