package manifest

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// maxAliased bounds how many nodes the aliases of one document may stand for: a few lines of aliases of aliases
// would otherwise fill the memory. No server accepts an object of this size.
const maxAliased = 100_000

// decoder turns the nodes of one document into JSON values and collects what is wrong with them.
type decoder struct {
	report func(line int, field, message string)
	// endless is set when the aliases make a value that has no end, or that nobody can want to see the end of.
	endless bool

	path    fieldpath.Path
	open    map[*yaml.Node]bool
	depth   int
	aliased int
	// reported holds the nodes with an error, which the aliases of an anchor would repeat.
	reported map[*yaml.Node]bool
}

func newDecoder(report func(line int, field, message string)) *decoder {
	return &decoder{report: report, open: map[*yaml.Node]bool{}, reported: map[*yaml.Node]bool{}}
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if d.reported[n] {
		return
	}
	d.reported[n] = true
	message := fmt.Sprintf(format, args...)
	if len(d.path) == 0 {
		message = "the document " + message
	}
	d.report(n.Line, fleet.FormatPath(withoutContent(d.path)), message)
}

// withoutContent ends a path at the entry of data or stringData it leads into: what is below may be the value of
// a Secret that was taken for keys, because somebody forgot quotes around braces.
func withoutContent(path fieldpath.Path) fieldpath.Path {
	for i, e := range path {
		if e.FieldName != nil && (*e.FieldName == "data" || *e.FieldName == "stringData") {
			return path[:min(i+2, len(path))]
		}
	}
	return path
}

// invalid stands for a value that an error has been reported about, so that there will be no second one because
// of its absence.
type invalid struct{}

// within runs f for the value of a field or the item of a list.
func (d *decoder) within(e fieldpath.PathElement, f func()) {
	d.path = append(d.path, e)
	f()
	d.path = d.path[:len(d.path)-1]
}

// value returns what a node stands for, nulls included.
func (d *decoder) value(n *yaml.Node) any {
	if d.depth > 0 {
		d.aliased++
		if d.aliased > maxAliased {
			return nil
		}
	}
	switch n.Kind {
	case yaml.AliasNode:
		var v any
		d.follow(n, func(target *yaml.Node) { v = d.value(target) })
		return v
	case yaml.MappingNode:
		if !d.standardTag(n, "!!map") {
			return invalid{}
		}
		if isTemplate(n) {
			d.fail(n, "is a mapping because it begins with a brace; quote it if a string is meant")
			return invalid{}
		}
		return d.mapping(n)
	case yaml.SequenceNode:
		if !d.standardTag(n, "!!seq") {
			return invalid{}
		}
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			d.within(fieldpath.PathElement{Index: &i}, func() { list[i] = d.value(item) })
		}
		return list
	default:
		v, err := scalar(n)
		if err != nil {
			d.fail(n, "%v", err)
			return invalid{}
		}
		return v
	}
}

func (d *decoder) standardTag(n *yaml.Node, tag string) bool {
	if n.ShortTag() == tag {
		return true
	}
	d.fail(n, "has a tag of its own, which Kubernetes does not know; remove it")
	return false
}

// follow runs f for the node itself or, for an alias, for the node it stands for.
func (d *decoder) follow(n *yaml.Node, f func(target *yaml.Node)) {
	if n.Kind != yaml.AliasNode {
		f(n)
		return
	}
	if d.open[n.Alias] {
		d.endless = true
		d.fail(n, "contains itself, by an alias of an anchor around it")
		return
	}
	d.aliased++
	if d.aliased <= maxAliased {
		d.open[n.Alias] = true
		d.depth++
		f(n.Alias)
		d.depth--
		delete(d.open, n.Alias)
	}
	if d.aliased > maxAliased && d.depth == 0 && !d.endless {
		d.endless = true
		d.fail(n, "makes the aliases of this document stand for more than %d values; write it out, or split it", maxAliased)
	}
}

// mapping returns what a mapping contains, without entries whose keys cannot be.
func (d *decoder) mapping(n *yaml.Node) map[string]any {
	content := make(map[string]any, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	var merges []*yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		if isMerge(pair[0]) {
			merges = append(merges, pair[1])
			continue
		}
		key, ok := d.key(pair[0])
		if !ok {
			continue
		}
		d.within(fieldpath.PathElement{FieldName: &key}, func() {
			if line, twice := lines[key]; twice {
				d.fail(pair[0], "is there twice, first on line %d; remove one", line)
				return
			}
			lines[key] = pair[0].Line
			content[key] = d.value(pair[1])
		})
	}
	for _, source := range merges {
		d.merge(content, source)
	}
	return content
}

// isTemplate tells whether a mapping is what YAML makes of a template without quotes, {{ .cluster.name }}.
func isTemplate(n *yaml.Node) bool {
	return len(n.Content) == 2 && n.Content[0].Kind == yaml.MappingNode && n.Content[0].Style&yaml.FlowStyle != 0 && n.Style&yaml.FlowStyle != 0
}

// key reads a mapping's key. Keys that are no strings are errors, although kubectl makes strings of some: the key
// on would become "true", and 0777 would become "511".
func (d *decoder) key(n *yaml.Node) (string, bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "has a mapping or a list as a key; quote it")
		return "", false
	}
	v, err := scalar(n)
	if err != nil {
		d.fail(n, "has a key that %v", err)
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		d.fail(n, "has the key %s, which YAML 1.1 reads as the boolean %v; quote it: %q", n.Value, v, n.Value)
	case nil:
		d.fail(n, "has a key that is null, not a string; quote it, or write it before the colon")
	default:
		d.fail(n, "has a key that is a number, not a string; quote it")
	}
	return "", false
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

// merge adds to content what the value of a merge key has and content has not.
func (d *decoder) merge(content map[string]any, source *yaml.Node) {
	d.follow(source, func(target *yaml.Node) {
		switch target.Kind {
		case yaml.MappingNode:
			for key, v := range d.mapping(target) {
				if _, own := content[key]; !own {
					content[key] = v
				}
			}
		case yaml.SequenceNode:
			for _, item := range target.Content {
				d.follow(item, func(target *yaml.Node) {
					if target.Kind != yaml.MappingNode {
						d.fail(item, "has a merge key (<<) whose list contains something else than mappings")
						return
					}
					d.merge(content, target)
				})
			}
		default:
			d.fail(source, "has a merge key (<<) whose value is neither a mapping nor a list of mappings")
		}
	})
}
