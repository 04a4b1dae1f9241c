package manifest

import (
	"errors"
	"io"
	"regexp"
	"sort" //nolint:depguard // slices has no search by a predicate over indexes
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineOf returns the line of the text, from 1, that the YAML reader stumbled over. The reader's own number is
// often that of the line before or of the beginning of the block around. So the line is found by trying: it is the
// last one of the shortest beginning of the text that ends in the same error.
func lineOf(err error, text string) int {
	lines := strings.SplitAfter(text, "\n")
	before := sort.Search(len(lines)-1, func(i int) bool {
		got := read(strings.Join(lines[:i+1], ""))
		return got != nil && got.Error() == err.Error()
	})
	return before + 1
}

// read returns the error that reading all documents of the text ends in, or nil.
func read(text string) error {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

var readerPrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)

// advice says for the reader's commoner messages what people usually did.
var advice = []struct{ message, advice string }{
	{"did not find expected key", "is the line indented like its neighbours?"},
	{"did not find expected '-' indicator", "is the line indented like its neighbours?"},
	{"mapping values are not allowed", "quote a value that contains a colon and a space, and check the indentation"},
	{"character that cannot start any token", "quote a value that begins with @, % or a backtick, and indent with spaces, not tabs"},
	{"tab character", "indent with spaces"},
	{"unexpected end of stream", "a quote is not closed"},
	{"unexpected document indicator", "a quote is not closed"},
	{"did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"},
	{"did not find expected <document start>", "begin the document with ---"},
	{"could not find expected ':'", "a colon is missing after a key, or the lines of a text are not indented"},
}

// explain words the reader's error without anything that the text contains.
func explain(err error) string {
	message := readerPrefix.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(message, "unknown anchor") {
		// The name may be a secret that begins with an asterisk and was not quoted.
		return "not YAML: an alias (*) without its anchor (&); quote a value that begins with an asterisk"
	}
	for _, a := range advice {
		if strings.Contains(message, a.message) {
			return "not YAML: " + message + "; " + a.advice
		}
	}
	return "not YAML: " + message
}
