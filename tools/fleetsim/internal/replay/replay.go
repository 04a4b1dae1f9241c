package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// Difference is an answer that is not what was recorded.
type Difference struct {
	// Step is the number of the exchange, from 1.
	Step     int
	Exchange Exchange
	// Diff has what was recorded with a minus, and what was answered with a plus.
	Diff string
}

func (d Difference) String() string {
	return fmt.Sprintf("step %d, %s: %s %s\n%s", d.Step, d.Exchange.Note, d.Exchange.Method, d.Exchange.Path, d.Diff)
}

// Replay sends the recorded requests to the target and compares its answers with those recorded. What a server makes up, such as uids, may differ, but only as
// one name does from another: what was the same must be the same.
func Replay(ctx context.Context, target Target, recording []Exchange) ([]Difference, error) {
	names := &names{values: map[string]string{}, taken: map[string]bool{}}
	var differences []Difference
	for i, recorded := range recording {
		x := recorded
		x.Path, x.Body = names.fill(x.Path), Text(names.fill(string(x.Body)))
		until := 0
		if recorded.Eventually {
			until = recorded.Status
		}
		got, err := target.until(ctx, x, until)
		if err != nil {
			return differences, fmt.Errorf("step %d, %s: %w", i+1, recorded.Note, err)
		}
		if diff := compare(names, recorded, got); diff != "" {
			differences = append(differences, Difference{Step: i + 1, Exchange: x, Diff: diff})
		}
	}
	return differences, nil
}

func compare(names *names, recorded, got Exchange) string {
	if recorded.Status != got.Status {
		return fmt.Sprintf("- %d %s\n+ %d %s\n", recorded.Status, recorded.Answer, got.Status, got.Answer)
	}
	if recorded.Answer == "" {
		return ""
	}
	var want, have any
	if json.Unmarshal([]byte(recorded.Answer), &want) != nil {
		return cmp.Diff(strings.TrimSpace(string(recorded.Answer)), strings.TrimSpace(string(got.Answer)))
	}
	if err := json.Unmarshal([]byte(got.Answer), &have); err != nil {
		return fmt.Sprintf("the answer does not parse: %v\n%s", err, got.Answer)
	}
	normalize("", want)
	normalize("", have)
	names.learn("", want, have)
	var whole, now any
	if json.Unmarshal([]byte(recorded.Answer), &whole) == nil && json.Unmarshal([]byte(got.Answer), &now) == nil {
		names.follow(whole, now)
	}
	if renamed, err := json.Marshal(want); err == nil {
		// What is made up stands in messages as well.
		if json.Unmarshal([]byte(names.fill(string(renamed))), &want) != nil {
			return "the recorded answer does not parse any more"
		}
	}
	return cmp.Diff(want, have)
}

// names are what the target calls that which the recorded server had other names for.
type names struct {
	values map[string]string
	taken  map[string]bool
}

// madeUp are the fields with values that a server makes up and clients send back.
var madeUp = []string{"uid", "resourceVersion", "continue"}

// learn finds the names in answers that belong together, and leaves the recorded ones where the target has already given another.
func (n *names) learn(field string, want, have any) {
	switch want := want.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			for key, value := range want {
				n.learn(key, value, have[key])
			}
		}
	case []any:
		if have, ok := have.([]any); ok && len(have) == len(want) {
			for i, value := range want {
				n.learn(field, value, have[i])
			}
		}
	case string:
		have, ok := have.(string)
		if !ok || want == "" || have == "" || !slices.Contains(madeUp, field) {
			return
		}
		if _, known := n.values[key(field, want)]; !known && !n.taken[key(field, have)] {
			n.values[key(field, want)], n.taken[key(field, have)] = have, true
		}
	}
}

// follow finds the versions of objects that controllers write to, which clients send back as well.
func (n *names) follow(want, have any) {
	kind, old, now := text(want, "kind"), version(want), version(have)
	if slices.Contains(followed, kind) && old != "" && now != "" {
		n.values[key("resourceVersion", old)] = now
	}
}

func version(object any) string {
	if object, ok := object.(map[string]any); ok {
		return text(object["metadata"], "resourceVersion")
	}
	return ""
}

func key(field, value string) string {
	if field == "resourceVersion" {
		// Short numbers stand everywhere, so they are known by the quotes around them.
		return `"` + value + `"`
	}
	return value
}

// fill puts the target's names into a text.
func (n *names) fill(text string) string {
	var pairs []string
	for recorded, now := range n.values {
		if strings.HasPrefix(recorded, `"`) {
			now = `"` + now + `"`
		}
		pairs = append(pairs, recorded, now)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
