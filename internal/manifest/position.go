package manifest

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Position says where in the given texts something stands.
type Position struct {
	// Argument is what the list of texts is called, such as variants[0].manifests; empty is manifests.
	Argument string
	// Manifest is the index of the text in the list, from 0, as in HCL.
	Manifest int
	// Document counts the documents of the text, from 1.
	Document int
	// Line counts the lines of the text, from 1.
	Line int
}

// String prints the position as "manifests[0], document 2, line 14".
func (p Position) String() string {
	return fmt.Sprintf("%s[%d], document %d, line %d", cmp.Or(p.Argument, "manifests"), p.Manifest, p.Document, p.Line)
}

// onLine is the place on another line of the same document.
func (p Position) onLine(line int) Position {
	p.Line = line
	return p
}

// Compare orders positions as one reads.
func (p Position) Compare(o Position) int {
	return cmp.Or(cmp.Compare(p.Manifest, o.Manifest), cmp.Compare(p.Document, o.Document), cmp.Compare(p.Line, o.Line))
}

// Error is one thing that is wrong with the texts. It never contains a value of a Secret.
type Error struct {
	// Position is where to look.
	Position Position
	// Field is the path of the field in its object; empty when the document as a whole is meant.
	Field string
	// Message says what is wrong and what to do; it reads as the predicate of Field where there is one.
	Message string
}

// Error prints position, field and message on one line.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Position.String() + ": " + e.Message
	}
	return e.Position.String() + ": " + e.Field + " " + e.Message
}

// Warning says what was left out of one object, because only the server writes it.
type Warning struct {
	// Position is where the object stands.
	Position Position
	// Key is the object.
	Key fleet.ObjectKey
	// Fields are the paths of the fields left out, in a fixed order.
	Fields []string
}

// String prints the warning on one line.
func (w Warning) String() string {
	return fmt.Sprintf("%s: %s: left out %s, because the server writes %s; remove %s from the manifest",
		w.Position, w.Key, strings.Join(w.Fields, ", "), it(w.Fields), it(w.Fields))
}

func it(fields []string) string {
	if len(fields) == 1 {
		return "it"
	}
	return "them"
}
