package deploy

import (
	"context"
	"errors"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// APIWarning is what an API server said about an object that it would take or took nevertheless: a deprecated API, a validation whose action
// is to warn, a Pod Security level that only warns.
type APIWarning struct {
	// Text is what it said, without values that are never shown.
	Text string
}

func (e *APIWarning) Error() string { return e.Text }

// hearing collects what the API server warns of while the requests for one object are made, and adds what this process has not
// said yet: an apply repeats the warnings of the plan that it has just made.
func (s *site) hearing(ctx context.Context, w wanted, requests func(context.Context) Problems) Problems {
	ctx, heard := cluster.CollectWarnings(ctx)
	found := requests(ctx)
	for _, text := range heard.Texts() {
		warning := &APIWarning{Text: strings.TrimSpace(w.hides.redact(w.Object, errors.New(text)).Error())}
		key := w.Key
		if s.seen.firstWarning(key.String() + "\x00" + warning.Text) {
			found = append(found, Problem{Cluster: s.name, Object: &key, Err: warning, Warning: true})
		}
	}
	return found
}

// firstWarning tells whether the warning has not been given before.
func (o *observation) firstWarning(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.warned[id] {
		return false
	}
	if o.warned == nil {
		o.warned = map[string]bool{}
	}
	o.warned[id] = true
	return true
}

// APIWarnings parts what API servers said from the other problems.
func (p Problems) APIWarnings() (said, others Problems) {
	for _, x := range p {
		var warning *APIWarning
		if errors.As(x.Err, &warning) {
			said = append(said, x)
		} else {
			others = append(others, x)
		}
	}
	return said, others
}
