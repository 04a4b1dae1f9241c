package override

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pointer is a JSON pointer as in RFC 6901, decoded.
type pointer []string

// afterLast is the token for the place after the last item of a list.
const afterLast = "-"

// parsePointer reads a pointer; the complaint is empty where it is one.
func parsePointer(text string) (p pointer, complaint string) {
	if text == "" {
		return nil, ""
	}
	if text[0] != '/' {
		return nil, "a JSON pointer begins with a slash, as in /" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(text)
	}
	for token := range strings.SplitSeq(text[1:], "/") {
		if token == "" {
			return nil, "the pointer names an empty key, which no object has; remove the slash too many"
		}
		for i := 0; i < len(token); i++ {
			if token[i] == '~' && (i+1 == len(token) || token[i+1] != '0' && token[i+1] != '1') {
				return nil, "in a JSON pointer a tilde is written ~0 (and a slash within a key ~1)"
			}
		}
		p = append(p, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return p, ""
}

func (p pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	return b.String()
}

// leadsInto tells whether the place is below another.
func (p pointer) leadsInto(other pointer) bool {
	return len(p) > len(other) && slices.Equal(p[:len(other)], other)
}

// resolve returns what is at the place, or says why nothing is. With adding it also accepts a place at which something can be added.
func (p pointer) resolve(v any, adding, confidential bool) (found any, complaint string) {
	for i, token := range p {
		parent, last := p[:i], i == len(p)-1
		switch at := v.(type) {
		case map[string]any:
			child, ok := at[token]
			switch {
			case ok:
				v = child
			case last && adding:
				return nil, ""
			default:
				complaint := fmt.Sprintf("there is no %q %s%s", token, parent.within(), present(at, token, confidential))
				if adding {
					complaint += "; add it first, or use merge_patch, which adds what is missing"
				}
				return nil, complaint
			}
		case []any:
			if last && adding && (token == afterLast || token == strconv.Itoa(len(at))) {
				return nil, ""
			}
			index, complaint := itemAt(at, token, parent)
			if complaint != "" {
				return nil, complaint
			}
			v = at[index]
		default:
			return nil, fmt.Sprintf("%s is %s, so there is no %q in it", parent, kindOf(v), token)
		}
	}
	return v, ""
}

func (p pointer) within() string {
	if len(p) == 0 {
		return "in the object"
	}
	return "in " + p.String()
}

func itemAt(list []any, token string, parent pointer) (index int, complaint string) {
	items := "items"
	if len(list) == 1 {
		items = "item"
	}
	if token == afterLast {
		return 0, fmt.Sprintf("- is the place after the last item of %s, where nothing is yet", parent)
	}
	index, err := strconv.Atoi(token)
	if err != nil || index < 0 || strconv.Itoa(index) != token {
		detail := fmt.Sprintf("%s is a list of %d %s, and %q is no position in it, counted from 0", parent, len(list), items, token)
		for i, item := range list {
			if m, ok := item.(map[string]any); ok && m["name"] == token {
				detail += fmt.Sprintf("; the item of this name is at %d, and strategic_patch finds it by its name", i)
			}
		}
		return 0, detail
	}
	if index >= len(list) {
		return 0, fmt.Sprintf("%s is a list of %d %s, counted from 0, and position %d is beyond", parent, len(list), items, index)
	}
	return index, ""
}
