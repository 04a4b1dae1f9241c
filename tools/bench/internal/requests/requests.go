// Package requests counts what API servers were asked, by verb, from their own records.
//
// A real API server's apiserver_request_total counts everybody's requests, its controllers' too, and does not tell who
// asked. So real clusters are counted from their audit logs, which have each request once, with the client's name. A
// simulated fleet has no controllers, and no audit log: there the metric is the client's requests and nothing else.
package requests

import (
	"context"
	"maps"
	"slices"
)

// UserAgent is how the bench's own requests introduce themselves: those that make drift, and those that mark a place in
// an audit log. They are not counted.
const UserAgent = "fleet-bench"

// The verbs that Counts have, beside those of the API as they are: get, list, create, update, delete, watch.
const (
	// Discovery is every request that is for no resource: versions, groups, schemas.
	Discovery = "discovery"
	// Patch is a patch that is written, server-side apply included.
	Patch = "patch"
	// DryRun is any request that writes nothing.
	DryRun = "dry run"
)

// order is the order of verbs in tables: as they come about in a run.
var order = []string{Discovery, "get", "list", "watch", DryRun, "create", Patch, "update", "delete", "deletecollection"}

// Counts are numbers of requests by verb, of all clusters together.
type Counts map[string]int

// Total is how many there were of all verbs.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// Verbs are the verbs of all the counts, in a stable order.
func Verbs(all ...Counts) []string {
	present := map[string]bool{}
	for _, counts := range all {
		for verb, n := range counts {
			present[verb] = present[verb] || n > 0
		}
	}
	var verbs []string
	for _, verb := range order {
		if present[verb] {
			verbs = append(verbs, verb)
		}
		delete(present, verb)
	}
	for _, verb := range slices.Sorted(maps.Keys(present)) {
		if present[verb] {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}

// Counter counts the requests of one step of one contestant.
type Counter interface {
	// Begin is called before the step.
	Begin(ctx context.Context) error
	// End is called after the step, and returns the requests since Begin.
	End(ctx context.Context) (Counts, error)
}
