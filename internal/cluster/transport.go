package cluster

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// transport is what every request to a cluster goes through, last before the network: it bounds the requests in
// flight, spreads retries, and logs each request without its headers and bodies.
type transport struct {
	next    http.RoundTripper
	cluster string
	target  target
	slots   chan struct{}
	log     Log

	mu sync.Mutex
	// turned counts how often in a row each request was turned away.
	turned map[string]int
}

const (
	// maxJitter is added to the wait that a server asks for, so that requests turned away together do not return together.
	maxJitter = 500 * time.Millisecond
	// firstWait is how long a request waits that was turned away by a server that does not say for how long; each time it is turned away again the wait
	// is twice as long, up to longestWait, and up to half as much is added.
	firstWait, longestWait = 250 * time.Millisecond, 15 * time.Second
	// unavailableTries is how often a request is tried again that is answered 503 without a word about when: it may be about an API that is down for long.
	unavailableTries = 4
)

// RoundTrip sends one request once a slot is free.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	release := sync.OnceFunc(func() { <-t.slots })

	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	t.record(req, resp, err, time.Since(start))
	if err != nil {
		release()
		return nil, err
	}
	if wait, again := t.turnedAway(req, resp); again {
		release()
		pause(ctx, wait)
		return resp, nil
	}
	if req.URL.Query().Get("watch") != "" {
		// A watch lasts for minutes; the limit is for work.
		release()
		return resp, nil
	}
	resp.Body = &body{ReadCloser: resp.Body, release: release}
	return resp, nil
}

// turnedAway tells whether client-go is to send the request again, which it does only where the server says when, and how long to wait besides.
func (t *transport) turnedAway(req *http.Request, resp *http.Response) (wait time.Duration, again bool) {
	id := req.Method + " " + req.URL.String()
	t.mu.Lock()
	defer t.mu.Unlock()
	// What the first contact with a cluster is answered is for the probe to judge.
	unavailable := resp.StatusCode == http.StatusServiceUnavailable && req.URL.Path != "/version" && t.turned[id] < unavailableTries
	if resp.StatusCode != http.StatusTooManyRequests && !unavailable {
		delete(t.turned, id)
		return 0, false
	}
	if resp.Header.Get("Retry-After") != "" {
		return rand.N(maxJitter), true
	}
	resp.Header.Set("Retry-After", "0")
	if t.turned == nil {
		t.turned = map[string]int{}
	}
	wait = min(firstWait<<min(t.turned[id], 10), longestWait)
	t.turned[id]++
	return wait + rand.N(wait/2), true
}

// WrappedRoundTripper lets client-go find the transport below, to close idle connections.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *transport) record(req *http.Request, resp *http.Response, err error, took time.Duration) {
	fields := map[string]any{
		"cluster": t.cluster, "verb": req.Method, "object": req.URL.Path, "duration": took.Round(time.Microsecond).String(),
	}
	if req.URL.RawQuery != "" {
		fields["query"] = req.URL.RawQuery
	}
	if err != nil {
		fields["error"] = t.target.redact(err.Error())
	} else {
		fields["status"] = resp.StatusCode
	}
	t.log(req.Context(), LevelTrace, "request", fields)
}

// body gives the slot back once the response was read or dropped.
type body struct {
	io.ReadCloser
	release func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
