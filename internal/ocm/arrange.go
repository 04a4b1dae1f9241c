package ocm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// How much of manifests a work holds, in bytes. The hub refuses works with more than 500 KiB.
const (
	// Limit is the most that a work may have.
	Limit = 480 * 1024
	// Fill is how far a work is filled with objects that are new to it, so that those it has can grow.
	Fill = 400 * 1024
)

// Piece is an object as far as dividing a set into works goes.
type Piece struct {
	Key fleet.ObjectKey
	// Size is that of its manifest, in bytes.
	Size int
}

// TooLargeError says that an object does not fit into any work.
type TooLargeError struct {
	Key  fleet.ObjectKey
	Size int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the object has %d KiB, and a hub of Open Cluster Management carries at most %d KiB in a ManifestWork: divide it, or reach the cluster directly", (e.Size+1023)/1024, Limit/1024)
}

// Arrange says which work every piece is to be in, by the names of works. An object stays in the work it is in, by now, unless that one
// would have more than the limit; of such a work as few objects leave as can be. name makes the name of the nth work.
func Arrange(now map[fleet.ObjectKey]string, pieces []Piece, name func(n int) string) (map[fleet.ObjectKey]string, error) {
	pieces = slices.SortedFunc(slices.Values(pieces), func(a, b Piece) int { return a.Key.Compare(b.Key) })
	at, size := map[fleet.ObjectKey]string{}, map[string]int{}
	var homeless []Piece
	in := map[string][]Piece{}
	for _, p := range pieces {
		if p.Size > Limit {
			return nil, &TooLargeError{Key: p.Key, Size: p.Size}
		}
		if work, there := now[p.Key]; there {
			at[p.Key] = work
			size[work] += p.Size
			in[work] = append(in[work], p)
		} else {
			homeless = append(homeless, p)
		}
	}
	for _, work := range slices.Sorted(maps.Keys(in)) {
		for _, p := range leaving(in[work], size[work]-Limit) {
			delete(at, p.Key)
			size[work] -= p.Size
			homeless = append(homeless, p)
		}
	}
	// Works that hold nothing of what stays are not filled anew: they are about to be deleted.
	used := slices.Collect(maps.Keys(size))
	for _, work := range now {
		used = append(used, work)
	}
	slices.Sort(used)
	used = slices.Compact(used)
	for _, p := range homeless {
		home := ""
		for _, work := range slices.Sorted(maps.Keys(size)) {
			if home == "" && size[work]+p.Size <= Fill && now[p.Key] != work {
				home = work
			}
		}
		for n := 0; home == ""; n++ {
			if fresh := name(n); !slices.Contains(used, fresh) {
				home = fresh
				used = append(used, fresh)
			}
		}
		at[p.Key] = home
		size[home] += p.Size
	}
	return at, nil
}

// leaving are the pieces that leave a work which has too much: one that is just large enough, or else the largest.
func leaving(pieces []Piece, excess int) []Piece {
	if excess <= 0 {
		return nil
	}
	bySize := slices.SortedStableFunc(slices.Values(pieces), func(a, b Piece) int { return cmp.Compare(a.Size, b.Size) })
	for _, p := range bySize {
		if p.Size >= excess {
			return []Piece{p}
		}
	}
	var out []Piece
	for _, p := range slices.Backward(bySize) {
		if excess <= 0 {
			break
		}
		out = append(out, p)
		excess -= p.Size
	}
	return out
}
