package ocm

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func key(n int) fleet.ObjectKey {
	return fleet.ObjectKey{Kind: "ConfigMap", Namespace: "a", Name: fmt.Sprintf("c%03d", n)}
}

func names(n int) string { return fmt.Sprintf("w-%d", n) }

// TestArrange_property lets a set grow, shrink and change over several rounds.
func TestArrange_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := map[fleet.ObjectKey]string{}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			var pieces []Piece
			sizes := map[fleet.ObjectKey]int{}
			for n := range rapid.IntRange(0, 30).Draw(t, "pieces") {
				if rapid.Bool().Draw(t, "there") {
					p := Piece{Key: key(n), Size: rapid.IntRange(1, Limit).Draw(t, "size")}
					pieces, sizes[p.Key] = append(pieces, p), p.Size
				}
			}
			at, err := Arrange(now, pieces, names)
			if err != nil {
				t.Fatal(err)
			}
			if len(at) != len(pieces) {
				t.Fatalf("%d of %d pieces have a work", len(at), len(pieces))
			}
			total, wouldBe := map[string]int{}, map[string]int{}
			for k, work := range at {
				total[work] += sizes[k]
				if before, there := now[k]; there {
					wouldBe[before] += sizes[k]
				}
			}
			for work, size := range total {
				if size > Limit {
					t.Fatalf("%s has %d bytes", work, size)
				}
			}
			for k, before := range now {
				if after, there := at[k]; there && after != before && wouldBe[before] <= Limit {
					t.Fatalf("%s moved from %s to %s without need", k, before, after)
				}
			}
			again, err := Arrange(at, pieces, names)
			if err != nil || !maps.Equal(at, again) {
				t.Fatalf("a second time it is %v, before %v (%v)", again, at, err)
			}
			now = at
		}
	})
}

func TestArrange(t *testing.T) {
	piece := func(n, kib int) Piece { return Piece{Key: key(n), Size: kib * 1024} }
	at, err := Arrange(nil, []Piece{piece(0, 200), piece(1, 200), piece(2, 200)}, names)
	if err != nil || at[key(0)] != "w-0" || at[key(1)] != "w-0" || at[key(2)] != "w-1" {
		t.Fatalf("got %v, %v", at, err)
	}
	t.Log("what grows within the limit stays, and of what grows beyond as little leaves as can be")
	at, err = Arrange(at, []Piece{piece(0, 230), piece(1, 240), piece(2, 200)}, names)
	if err != nil || at[key(0)] != "w-0" || at[key(1)] != "w-0" {
		t.Fatalf("got %v, %v", at, err)
	}
	at, err = Arrange(at, []Piece{piece(0, 300), piece(1, 190), piece(2, 200)}, names)
	if err != nil || at[key(0)] != "w-0" || at[key(1)] != "w-1" {
		t.Fatalf("got %v, %v", at, err)
	}
	t.Log("an object that fits nowhere")
	var large *TooLargeError
	if _, err := Arrange(nil, []Piece{piece(0, 481)}, names); !errors.As(err, &large) {
		t.Fatalf("got %v", err)
	}
}
