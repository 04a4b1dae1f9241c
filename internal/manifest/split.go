package manifest

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
)

// chunk is a part of a text that is read on its own.
type chunk struct {
	text string
	// line is how many lines of the text come before.
	line int
}

// split cuts a text before each line that begins a document. By the YAML specification a "---" in the first
// column is such a line wherever it stands, also within a quoted or a block scalar. Reading the documents one by
// one has two effects: a document that is not YAML does not hide what is wrong with the others, and an anchor
// is known in its own document only, as it should be.
func split(text string) []chunk {
	text = strings.TrimPrefix(text, "\ufeff")
	var chunks []chunk
	rest, current, line := text, 0, 0
	start, startLine := 0, 0
	for rest != "" {
		row, after, _ := strings.Cut(rest, "\n")
		if isMarker(row) && current > start && !isPreamble(text[start:current]) {
			chunks = append(chunks, chunk{text: text[start:current], line: startLine})
			start, startLine = current, line
		}
		current = len(text) - len(after)
		rest = after
		line++
	}
	return append(chunks, chunk{text: text[start:], line: startLine})
}

// isMarker tells whether a line begins a document.
func isMarker(row string) bool {
	after, ok := strings.CutPrefix(row, "---")
	return ok && (after == "" || strings.ContainsAny(after[:1], " \t\r"))
}

// isPreamble tells whether a text is what may stand before the first "---" without being a document: directives
// such as %YAML 1.1, which belong to the document that follows.
func isPreamble(text string) bool {
	directive := false
	for row := range strings.Lines(text) {
		row = strings.TrimRight(row, " \t\r\n")
		switch {
		case strings.HasPrefix(row, "%"):
			directive = true
		case row == "" || strings.HasPrefix(row, "#"):
		default:
			return false
		}
	}
	return directive
}

// withoutEscapes replaces, in a JSON text, the escape sequences that the YAML reader refuses with what they stand
// for: \/ and the pairs such as \ud83d\ude00 by which JSON writes characters beyond the basic plane. In all else
// JSON is YAML. Line breaks stay where they are.
func withoutEscapes(text string) string {
	if !strings.Contains(text, `\u`) && !strings.Contains(text, `\/`) || !json.Valid([]byte(text)) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		if r := utf16.DecodeRune(escaped(text[i:]), escaped(text[min(i+6, len(text)):])); r != '\uFFFD' {
			b.WriteRune(r)
			i += len(`\ud83d\ude00`) - 1
			continue
		}
		// In valid JSON a backslash is never the last character.
		i++
		if text[i] != '/' {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// escaped returns the code unit that the escape sequence at the beginning of s stands for, or 0.
func escaped(s string) rune {
	if len(s) < 6 || !strings.HasPrefix(s, `\u`) {
		return 0
	}
	unit, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}
