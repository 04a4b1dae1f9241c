package fleet

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

var (
	bareName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	bareValue = regexp.MustCompile(`^[A-Za-z0-9_./:@-]+$`)
	number    = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	allDigits = regexp.MustCompile(`^[0-9]+$`)
)

// FormatPath prints a field path in the one grammar that state, plans, messages and configuration share:
// spec.replicas, spec.containers[name=web].image, metadata.labels['app.kubernetes.io/name'],
// metadata.finalizers[=example.org/keep] (an item of a set, by value) and args[0] (an item by position).
func FormatPath(p fieldpath.Path) string {
	var b strings.Builder
	for i, e := range p {
		switch {
		case e.FieldName != nil && isBare(*e.FieldName):
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(*e.FieldName)
		case e.FieldName != nil:
			b.WriteByte('[')
			b.WriteString(quote(*e.FieldName))
			b.WriteByte(']')
		case e.Key != nil:
			b.WriteByte('[')
			for j, f := range *e.Key {
				if j > 0 {
					b.WriteByte(',')
				}
				if isBare(f.Name) {
					b.WriteString(f.Name)
				} else {
					b.WriteString(quote(f.Name))
				}
				b.WriteByte('=')
				b.WriteString(formatScalar(f.Value))
			}
			b.WriteByte(']')
		case e.Value != nil:
			b.WriteString("[=")
			b.WriteString(formatScalar(*e.Value))
			b.WriteByte(']')
		case e.Index != nil:
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(*e.Index))
			b.WriteByte(']')
		}
	}
	return b.String()
}

// isBare tells whether a name needs no quotes: what bareName matches, many times faster, because every field of every object is asked.
func isBare(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

var escape = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func quote(s string) string { return "'" + escape.Replace(s) + "'" }

func formatScalar(v value.Value) string {
	if v.IsString() {
		s := v.AsString()
		if bareValue.MatchString(s) && !number.MatchString(s) && s != "true" && s != "false" && s != "null" {
			return s
		}
		return quote(s)
	}
	text, err := json.Marshal(v.Unstructured())
	if err != nil {
		// A value that came out of JSON goes back into it; anything else is printed for people only.
		return quote(fmt.Sprint(v.Unstructured()))
	}
	return string(text)
}

// ParsePath reads a field path in FormatPath's grammar. The error gives the position of what could not be read.
func ParsePath(s string) (fieldpath.Path, error) {
	return (&pathParser{text: s}).path()
}

// pathParser reads a path, or, where wild is set, a pattern of paths.
type pathParser struct {
	text string
	pos  int
	wild bool
}

func (p *pathParser) path() (fieldpath.Path, error) {
	var path fieldpath.Path
	if p.text == "" {
		return nil, p.errorf("the path is empty")
	}
	for p.pos < len(p.text) {
		switch {
		case p.text[p.pos] == '[':
			e, err := p.bracket()
			if err != nil {
				return nil, err
			}
			path = append(path, e)
		case p.text[p.pos] == '.' && len(path) > 0:
			p.pos++
			fallthrough
		case len(path) == 0:
			name := p.bareName()
			if name == "" {
				return nil, p.errorf("want a field name; quote one with special characters as ['name']")
			}
			path = append(path, fieldpath.PathElement{FieldName: &name})
		default:
			return nil, p.errorf("want '.' or '['")
		}
	}
	return path, nil
}

func (p *pathParser) errorf(format string, args ...any) error {
	return fmt.Errorf("field path %q, at character %d: %s", p.text, p.pos+1, fmt.Sprintf(format, args...))
}

func (p *pathParser) bareName() string {
	if p.wild {
		return p.bare(wildName, false)
	}
	return p.bare(bareName, false)
}

func (p *pathParser) bareValue() string {
	if p.wild {
		return p.bare(wildValue, true)
	}
	return p.bare(bareValue, true)
}

// bare reads up to the next character that has a meaning in the grammar.
func (p *pathParser) bare(shape *regexp.Regexp, value bool) string {
	rest := p.text[p.pos:]
	stop := ".["
	if value {
		stop = ",]"
	} else if i := strings.IndexAny(rest, "=,]"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.IndexAny(rest, stop); i >= 0 {
		rest = rest[:i]
	}
	if !shape.MatchString(rest) {
		return ""
	}
	p.pos += len(rest)
	return rest
}

func (p *pathParser) bracket() (fieldpath.PathElement, error) {
	none := fieldpath.PathElement{}
	p.pos++
	if p.pos >= len(p.text) {
		return none, p.errorf("want ']'")
	}
	if end := strings.IndexByte(p.text[p.pos:], ']'); end > 0 && allDigits.MatchString(p.text[p.pos:p.pos+end]) {
		index, err := strconv.Atoi(p.text[p.pos : p.pos+end])
		if err != nil {
			return none, p.errorf("index out of range")
		}
		p.pos += end + 1
		return fieldpath.PathElement{Index: &index}, nil
	}
	if p.wild && strings.HasPrefix(p.text[p.pos:], "*]") {
		p.pos += len("*]")
		return none, nil
	}
	if p.text[p.pos] == '=' {
		p.pos++
		v, err := p.scalar()
		if err != nil {
			return none, err
		}
		return fieldpath.PathElement{Value: &v}, p.expect(']')
	}
	var key value.FieldList
	for {
		name, quoted, err := p.name()
		if err != nil {
			return none, err
		}
		if quoted && len(key) == 0 && p.peek() == ']' {
			p.pos++
			return fieldpath.PathElement{FieldName: &name}, nil
		}
		if err := p.expect('='); err != nil {
			return none, err
		}
		v, err := p.scalar()
		if err != nil {
			return none, err
		}
		for _, before := range key {
			if before.Name == name {
				return none, p.errorf("the key %s is given twice", name)
			}
		}
		key = append(key, value.Field{Name: name, Value: v})
		if p.peek() == ',' {
			p.pos++
			continue
		}
		key.Sort()
		return fieldpath.PathElement{Key: &key}, p.expect(']')
	}
}

func (p *pathParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *pathParser) expect(c byte) error {
	if p.peek() != c {
		return p.errorf("want %q", string(c))
	}
	p.pos++
	return nil
}

func (p *pathParser) name() (name string, quoted bool, err error) {
	if p.peek() == '\'' {
		name, err = p.quoted()
		return name, true, err
	}
	if name = p.bareName(); name == "" {
		return "", false, p.errorf("want a key such as [name=web], a position such as [0], or a quoted field such as ['a.b']")
	}
	return name, false, nil
}

func (p *pathParser) quoted() (string, error) {
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; c {
		case '\\':
			p.pos++
			if p.pos >= len(p.text) {
				return "", p.errorf("want a character after the backslash")
			}
			b.WriteByte(p.text[p.pos])
		case '\'':
			p.pos++
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", p.errorf("want a closing quote")
}

func (p *pathParser) scalar() (value.Value, error) {
	switch p.peek() {
	case '\'':
		s, err := p.quoted()
		return value.NewValueInterface(s), err
	case '{', '[':
		dec := json.NewDecoder(strings.NewReader(p.text[p.pos:]))
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, p.errorf("want a JSON value: %v", err)
		}
		v, err := fromJSON(raw)
		if err != nil {
			return nil, p.errorf("want a JSON value: %v", err)
		}
		p.pos += int(dec.InputOffset())
		return v, nil
	}
	if i := strings.IndexAny(p.text[p.pos:], ",]"); i >= 0 {
		if text := p.text[p.pos : p.pos+i]; number.MatchString(text) || text == "true" || text == "false" || text == "null" {
			v, err := fromJSON([]byte(text))
			if err != nil {
				return nil, p.errorf("want a number; quote a string as %s", quote(text))
			}
			p.pos += i
			return v, nil
		}
	}
	if s := p.bareValue(); s != "" {
		return value.NewValueInterface(s), nil
	}
	return nil, p.errorf("want a value; quote one with special characters as 'value'")
}

// fromJSON reads a JSON value as Kubernetes does: whole numbers stay exact, where value.FromJSON would make
// floating-point numbers of all.
func fromJSON(text []byte) (value.Value, error) {
	var v any
	if err := utiljson.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return value.NewValueInterface(v), nil
}
