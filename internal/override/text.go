package override

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// read reads the text of a patch. Problems know no argument, and repeat no value: the patch may be one for a Secret.
func read(text string) (any, []Problem) {
	if json.Valid([]byte(text)) {
		return readJSON(text)
	}
	problems := inspect(text)
	if len(problems) > 0 {
		return nil, problems
	}
	// This is how kubectl reads YAML, and manifests are read here: by the rules of YAML 1.1.
	converted, err := sigsyaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		// The reader's message may repeat a value.
		return nil, []Problem{{Detail: "JSON cannot express this: a value does not fit its tag or is no finite number, or aliases (*) stand for too much"}}
	}
	v, err := fromJSON(converted)
	if err != nil {
		return nil, []Problem{{Detail: "JSON cannot express this"}}
	}
	return v, nil
}

func readJSON(text string) (any, []Problem) {
	var strict any
	twice, err := kjson.UnmarshalStrict([]byte(text), &strict, kjson.DisallowDuplicateFields)
	if err != nil {
		return nil, []Problem{{Detail: "this is JSON nested too deeply"}}
	}
	var problems []Problem
	for _, err := range twice {
		// The message names the field, as duplicate field "spec.a".
		problems = append(problems, Problem{Detail: fmt.Sprintf("%v; remove one", err)})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return wholeNumbers(strict), nil
}

// inspect finds what is wrong with a YAML text and what its conversion to JSON would silently decide.
func inspect(text string) []Problem {
	var in inspection
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for documents := 0; ; documents++ {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return in.problems
		}
		if err != nil {
			return append(in.problems, unreadable(err))
		}
		root := document.Content[0]
		if documents > 0 {
			if root.ShortTag() != "!!null" {
				return append(in.problems, Problem{Line: root.Line, Detail: "a second document begins here, and a patch is one document; write a rule for each"})
			}
			continue
		}
		in.node(root, nil)
	}
}

var readerPrefix = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// unreadable words the reader's error without anything that the text contains.
func unreadable(err error) Problem {
	prefix := readerPrefix.FindStringSubmatch(err.Error())
	if prefix == nil {
		return Problem{Detail: "this is neither YAML nor JSON"}
	}
	line, numberErr := strconv.Atoi(prefix[1])
	if numberErr != nil {
		line = 0
	}
	message := strings.TrimPrefix(err.Error(), prefix[0])
	if strings.HasPrefix(message, "unknown anchor") {
		message = "an alias (*) without its anchor (&); quote a value that begins with an asterisk"
	}
	return Problem{Line: line, Detail: "this is neither YAML nor JSON: " + message}
}

// bareBooleans are the words that YAML 1.1 reads as booleans and the reader of positions does not.
var bareBooleans = []string{"y", "yes", "on", "n", "no", "off"}

type inspection struct {
	problems []Problem
}

func (in *inspection) fail(n *yaml.Node, path fieldpath.Path, format string, args ...any) {
	in.problems = append(in.problems, Problem{Line: n.Line, Path: fleet.FormatPath(withoutContent(path)), Detail: fmt.Sprintf(format, args...)})
}

// withoutContent ends a path at the entry of data or stringData it leads into: what is below may be the value of a
// Secret that was taken for keys, because somebody forgot quotes around braces.
func withoutContent(path fieldpath.Path) fieldpath.Path {
	for i, e := range path {
		if e.FieldName != nil && (*e.FieldName == "data" || *e.FieldName == "stringData") {
			return path[:min(i+2, len(path))]
		}
	}
	return path
}

func (in *inspection) node(n *yaml.Node, path fieldpath.Path) {
	standard := []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!merge", "!!timestamp"}
	if n.Kind != yaml.AliasNode && !slices.Contains(standard, n.ShortTag()) {
		in.fail(n, path, "this has a tag of its own, which Kubernetes does not know; quote the value if it begins with an exclamation mark")
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		in.mapping(n, path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			in.node(item, below(path, position(i)))
		}
	}
}

func (in *inspection) mapping(n *yaml.Node, path fieldpath.Path) {
	lines := map[string]int{}
	for pair := range slices.Chunk(n.Content, 2) {
		key := pair[0]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		quoted := key.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		switch {
		case key.Kind != yaml.ScalarNode:
			in.fail(key, path, "a mapping or a list stands as a key here; quote it, or quote the value if it begins with a brace")
			continue
		case key.ShortTag() == "!!merge":
			in.node(pair[1], path)
			continue
		case key.ShortTag() == "!!bool", key.ShortTag() == "!!str" && !quoted && slices.Contains(bareBooleans, strings.ToLower(key.Value)):
			in.fail(key, path, "the key %s is a boolean to YAML 1.1; quote it: %q", key.Value, key.Value)
			continue
		case key.ShortTag() != "!!str":
			in.fail(key, path, "a key here is null or a number and not a string; quote it")
			continue
		}
		within := below(path, field(key.Value))
		if line, twice := lines[key.Value]; twice {
			in.fail(pair[0], within, "this is there twice, first on line %d; remove one", line)
			continue
		}
		lines[key.Value] = pair[0].Line
		in.node(pair[1], within)
	}
}
