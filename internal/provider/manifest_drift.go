package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

const (
	// fieldsPerObject is how many fields a message lists of one object before it counts.
	fieldsPerObject = 8
	// objectsPerHead is how many objects a message names that changed alike.
	objectsPerHead = 3
	// clustersPerHead is how many clusters a message names that changed alike.
	clustersPerHead = 6
	// linesPerMessage is how many lines a message has before the rest is counted.
	linesPerMessage = 60
	// minute is how times are printed.
	minute = "2006-01-02 15:04 MST"
)

// fieldLine is what is said about one field, and when it came to be so, which may differ from cluster to cluster.
type fieldLine struct {
	text        string
	first, last time.Time
}

// finding is what is said about an object, or about several that are alike, on the clusters where it is the same.
type finding struct {
	objects  []string
	clusters []string
	lines    []fieldLine
}

// findings gathers what is to be said, the same on several clusters once.
type findings struct {
	order []*finding
	index map[string]*finding
}

func (f *findings) add(cluster, object string, lines []fieldLine) {
	id := object
	for _, l := range lines {
		id += "\x00" + l.text
	}
	if f.index == nil {
		f.index = map[string]*finding{}
	}
	one, ok := f.index[id]
	if !ok {
		one = &finding{objects: []string{object}, lines: slices.Clone(lines)}
		f.index[id] = one
		f.order = append(f.order, one)
	}
	one.clusters = append(one.clusters, cluster)
	for i, l := range lines {
		if !l.first.IsZero() && l.first.Before(one.lines[i].first) {
			one.lines[i].first = l.first
		}
		if l.last.After(one.lines[i].last) {
			one.lines[i].last = l.last
		}
	}
}

// alike joins objects of which the same is said on the same clusters.
func (f *findings) alike() []*finding {
	var out []*finding
	index := map[string]*finding{}
	for _, one := range f.order {
		id := strings.Join(one.clusters, ",")
		for _, l := range one.lines {
			id += "\x00" + l.text
		}
		same, ok := index[id]
		if !ok {
			index[id] = one
			out = append(out, one)
			continue
		}
		same.objects = append(same.objects, one.objects...)
		for i, l := range one.lines {
			if l.first.Before(same.lines[i].first) {
				same.lines[i].first = l.first
			}
			if l.last.After(same.lines[i].last) {
				same.lines[i].last = l.last
			}
		}
	}
	return out
}

// String lists the findings; of many it lists some and counts the rest.
func (f *findings) String() string {
	all := f.alike()
	var lines []string
	for i, one := range all {
		if len(lines) >= linesPerMessage {
			rest := 0
			for _, more := range all[i:] {
				rest += len(more.objects)
			}
			lines = append(lines, fmt.Sprintf("... and %d more objects; the attribute changes has them all", rest))
			break
		}
		lines = append(lines, nameSome(one.clusters, clustersPerHead, "clusters")+"  "+nameSome(one.objects, objectsPerHead, "objects like it"))
		for j, l := range one.lines {
			if j == fieldsPerObject && len(one.lines) > fieldsPerObject+1 {
				lines = append(lines, fmt.Sprintf("        ... and %d more fields", len(one.lines)-j))
				break
			}
			lines = append(lines, "        "+l.String())
		}
	}
	return strings.Join(lines, "\n")
}

func (l fieldLine) String() string {
	switch {
	case l.last.IsZero():
		return l.text
	case l.first.Format(minute) == l.last.Format(minute):
		return l.text + ", " + l.last.Format(minute)
	}
	return fmt.Sprintf("%s, %s to %s", l.text, l.first.Format(minute), l.last.Format(minute))
}

// nameSome names a few and counts the rest.
func nameSome(names []string, some int, what string) string {
	if len(names) <= some+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more %s", strings.Join(names[:some], ", "), len(names)-some, what)
}

// drift lists the fields that somebody changed, with who it was and when: those that an apply corrects, and those that are only
// reported. It counts the clusters concerned.
func drift(plan deploy.Plan) (corrected, reported findings, corrects, reports int) {
	for _, name := range sortedNames(plan.Clusters) {
		c := plan.Clusters[name]
		fixes, tells := false, false
		for _, key := range c.Keys() {
			o := c.Objects[key]
			if lines := correctedLines(o); len(lines) > 0 {
				corrected.add(name, key.String(), lines)
				fixes = true
			}
			if lines := contentionLines(o.Reported); len(lines) > 0 {
				reported.add(name, key.String(), lines)
				tells = true
			}
		}
		if fixes {
			corrects++
		}
		if tells {
			reports++
		}
	}
	return corrected, reported, corrects, reports
}

// correctedLines are an object's drifted fields. Where the cluster was not asked who it was, the differences alone are known.
func correctedLines(o deploy.ObjectPlan) []fieldLine {
	lines := contentionLines(o.Corrected)
	if o.Action != deploy.ActionCorrect {
		return lines
	}
	if o.Why != "" {
		lines = append(lines, fieldLine{text: o.Why})
	}
	for _, d := range o.Changes {
		// What is taken from another manager is told elsewhere: it is no drift.
		if !slices.ContainsFunc(slices.Concat(o.Corrected, o.Forced), func(c ssa.Contention) bool { return c.Path == d.Path }) {
			lines = append(lines, fieldLine{text: fmt.Sprintf("%s  is %s, should be %s", d.Path, valueText(d.From), valueText(d.To))})
		}
	}
	return lines
}

func contentionLines(contentions []ssa.Contention) []fieldLine {
	var lines []fieldLine
	for _, c := range contentions {
		line := fieldLine{text: fmt.Sprintf("%s  is %s, should be %s", c.Path, valueText(c.From), valueText(c.To))}
		if c.Owner == nil {
			line.text += "   (nobody owns it now)"
		} else {
			line.text += "   by " + c.Owner.String()
			// The API server gives no time for some writes through subresources.
			line.first, line.last = c.Owner.Time, c.Owner.Time
		}
		lines = append(lines, line)
	}
	return lines
}

// adoptions lists the objects that were there before and become the set's.
func adoptions(plan deploy.Plan) (found findings, objects int) {
	for _, name := range sortedNames(plan.Clusters) {
		c := plan.Clusters[name]
		for _, key := range c.Keys() {
			if o := c.Objects[key]; o.Action == deploy.ActionAdopt {
				found.add(name, key.String(), adoptionLines(o))
				objects++
			}
		}
	}
	return found, objects
}

func adoptionLines(o deploy.ObjectPlan) []fieldLine {
	var lines []fieldLine
	for _, d := range o.Changes {
		lines = append(lines, fieldLine{text: fmt.Sprintf("%s  is %s, becomes %s", d.Path, valueText(d.From), valueText(d.To))})
	}
	for _, d := range o.Dropped {
		lines = append(lines, fieldLine{text: fmt.Sprintf("%s  is %s, goes, because the manifest does not have it", d.Path, valueText(d.From))})
	}
	if len(o.Absorbed) > 0 {
		lines = append(lines, fieldLine{text: "taken over from " + strings.Join(slices.Compact(slices.Sorted(slices.Values(o.Absorbed))), ", ")})
	}
	return lines
}

// conflicts lists the fields that other managers own, and the managers and paths for the ways out.
func conflicts(problems deploy.Problems) (found findings, managers, paths []string) {
	for _, p := range problems.Sorted() {
		var conflict *ssa.ConflictError
		if !errors.As(p.Err, &conflict) {
			continue
		}
		var object fleet.ObjectKey
		if p.Object != nil {
			object = *p.Object
		}
		var lines []fieldLine
		for _, c := range conflict.Contentions {
			lines = append(lines, fieldLine{text: fmt.Sprintf("%s  is %s by %s, wanted %s", c.Path, valueText(c.From), c.Owner, valueText(c.To))})
			managers, paths = append(managers, c.Owner.Manager), append(paths, c.Path)
		}
		found.add(p.Cluster, object.String(), lines)
	}
	slices.Sort(managers)
	slices.Sort(paths)
	return found, slices.Compact(managers), slices.Compact(paths)
}

func valueText(v string) string {
	if v == "" {
		return "not set"
	}
	return v
}
