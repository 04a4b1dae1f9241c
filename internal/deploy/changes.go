package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

const (
	// fieldsPerSentence is how many changed fields a sentence names before it counts.
	fieldsPerSentence = 4
	// valueLength is how many characters of a value a sentence shows.
	valueLength = 60
	// namesPerSentence is how many clusters a sentence names before it counts.
	namesPerSentence = 3
)

// plainText is a JSON string that reads the same without its quotes and cannot be taken for another value.
var plainText = regexp.MustCompile(`^"[A-Za-z][A-Za-z0-9_./:@-]*"$`)

// Sentences says what the plan does, one sentence per distinct change with its clusters, so that a plan over a hundred
// clusters is read in a minute. It rests on nothing but prior state and wanted objects.
func (p Plan) Sentences() []string {
	var all sentences
	for _, name := range slices.Sorted(maps.Keys(p.Clusters)) {
		c := p.Clusters[name]
		if !c.Changes() {
			continue
		}
		said := c.sentences(name, &all)
		said = c.inventorySentences(name, &all) || said
		said = c.rolloutSentences(name, &all) || said
		switch {
		case said:
		case c.New > 0 && c.Objects == nil:
		case c.Unsettled:
			all.add(name, "finish the last apply", "")
		case c.Leaving:
			all.add(name, "leave, with nothing there to remove,", "")
		case c.Instruct:
			all.add(name, "record what becomes of removed objects", "")
		case c.Noted:
			all.add(name, "record what is there already", "")
		}
	}
	if len(all.order) > 0 {
		for _, name := range slices.Sorted(maps.Keys(p.Clusters)) {
			p.Clusters[name].heldSentences(name, &all)
		}
	}
	return all.list()
}

// rolloutSentences says which revision the cluster gets, where there are waves, and tells whether it gets another.
func (c ClusterPlan) rolloutSentences(name string, all *sentences) (said bool) {
	switch {
	case c.Keep:
		c.keepSentence(name, all)
	case c.Wave == "" || c.Leaving || c.Gone || c.Revision == c.From:
		return false
	case c.From == "":
		all.add(name, "roll out revision "+c.Revision, "wave "+c.Wave)
	default:
		all.add(name, "roll out revision "+c.Revision, fmt.Sprintf("wave %s, from %s", c.Wave, c.From))
	}
	return true
}

func (c ClusterPlan) keepSentence(name string, all *sentences) {
	all.add(name, "keep revision "+c.Revision, fmt.Sprintf("wave %s is behind through", c.Wave))
}

// heldSentences says what the cluster keeps that gets no other revision before it is promoted.
func (c ClusterPlan) heldSentences(name string, all *sentences) {
	switch {
	case !c.Held || c.Keep || c.Deferred != "":
	case c.Revision == "":
		all.add(name, "hold back", fmt.Sprintf("wave %s is behind through, and runs nothing yet", c.Wave))
	case c.Revision == c.From:
		c.keepSentence(name, all)
	}
}

// sentences says what the plan does to the objects of one cluster, and tells whether that is anything.
func (c ClusterPlan) sentences(name string, all *sentences) (said bool) {
	counts := map[Action][]string{}
	for key, why := range c.Skipped {
		all.add(name, "skip "+key.String(), why)
		said = true
	}
	for _, key := range c.Keys() {
		o := c.Objects[key]
		switch o.Action {
		case ActionNone:
			continue
		case ActionUpdate, ActionCorrect, ActionAdopt, ActionReplace:
			all.add(name, fmt.Sprintf("%s %s", o.Action, key), o.details())
		default:
			counts[o.Action] = append(counts[o.Action], key.String())
		}
		said = true
	}
	if c.New > 0 {
		// What can be told of a new cluster before it can be asked is said in the same words afterwards.
		if n := len(counts[ActionCreate]); c.Objects == nil || n > 0 {
			all.add(name, fmt.Sprintf("%s %s", ActionCreate, objectCount(c.created())), "")
			said = true
		}
		delete(counts, ActionCreate)
	}
	for _, action := range []Action{ActionCreate, ActionDelete, ActionRelease, ActionForget} {
		if keys := counts[action]; len(keys) == 1 {
			all.add(name, fmt.Sprintf("%s %s", action, keys[0]), "")
		} else if len(keys) > 1 {
			all.addCount(name, action, keys)
		}
	}
	return said
}

// created is how many objects are created on a cluster that is new to the set.
func (c ClusterPlan) created() int {
	if c.Objects == nil {
		return c.New
	}
	n := 0
	for _, o := range c.Objects {
		if o.Action == ActionCreate {
			n++
		}
	}
	return n
}

// details says how an object changes.
func (o ObjectPlan) details() string {
	var parts []string
	if len(o.Changes) > 0 && o.Action != ActionReplace {
		parts = append(parts, fields(o.Changes))
	}
	if o.Why != "" {
		parts = append(parts, o.Why)
	}
	if len(o.Released) > 0 {
		parts = append(parts, "gives up "+strings.Join(o.Released, ", ")+", which keeps its value")
	}
	for _, path := range slices.Sorted(maps.Keys(o.Yielded)) {
		parts = append(parts, fmt.Sprintf("leaves %s to %s", path, o.Yielded[path]))
	}
	for _, c := range o.Forced {
		parts = append(parts, fmt.Sprintf("takes %s from %s", c.Path, c.Owner))
	}
	if len(o.Absorbed) > 0 {
		parts = append(parts, "takes over from "+strings.Join(slices.Compact(slices.Sorted(slices.Values(o.Absorbed))), ", "))
	}
	if len(o.Dropped) > 0 {
		parts = append(parts, "drops "+fields(o.Dropped))
	}
	return strings.Join(parts, "; ")
}

type sentence struct {
	what, detail, id string
	clusters         []string
}

type sentences struct {
	index map[string]*sentence
	order []*sentence
}

func (s *sentences) put(id, cluster, what, detail string) {
	if s.index == nil {
		s.index = map[string]*sentence{}
	}
	one, ok := s.index[id]
	if !ok {
		one = &sentence{what: what, detail: detail, id: id}
		s.index[id] = one
		s.order = append(s.order, one)
	}
	one.clusters = append(one.clusters, cluster)
}

func (s *sentences) add(cluster, what, detail string) {
	s.put(what+"\x00"+detail, cluster, what, detail)
}

func (s *sentences) addCount(cluster string, action Action, keys []string) {
	s.put(string(action)+"\x00"+strings.Join(keys, "\x00"), cluster, fmt.Sprintf("%s %s", action, objectCount(len(keys))), "")
}

func objectCount(n int) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%d objects", n)
}

func (s *sentences) list() []string {
	slices.SortStableFunc(s.order, func(a, b *sentence) int { return cmp.Compare(a.id, b.id) })
	out := make([]string, 0, len(s.order))
	for _, one := range s.order {
		text := one.what + " on " + clusterPhrase(one.clusters)
		if one.detail != "" {
			text += ": " + one.detail
		}
		out = append(out, text)
	}
	return out
}

// clusterPhrase names a few clusters and counts many.
func clusterPhrase(names []string) string {
	if len(names) <= namesPerSentence {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d clusters", len(names))
}

func fields(changes []ssa.Difference) string {
	var parts []string
	for i, d := range changes {
		if i == fieldsPerSentence && len(changes) > fieldsPerSentence+1 {
			return strings.Join(parts, ", ") + fmt.Sprintf(" and %d more fields", len(changes)-i)
		}
		parts = append(parts, fmt.Sprintf("%s %s → %s", d.Path, short(d.From), short(d.To)))
	}
	return strings.Join(parts, ", ")
}

func short(value string) string {
	if value == "" {
		return "(none)"
	}
	// Quotes would be escaped once more where Terraform prints the sentence; plain words do without.
	if plainText.MatchString(value) {
		value = value[1 : len(value)-1]
	}
	if utf8.RuneCountInString(value) > valueLength {
		return string([]rune(value)[:valueLength]) + "…"
	}
	return value
}
