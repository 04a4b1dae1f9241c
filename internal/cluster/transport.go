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
}

// maxJitter is added to the wait that a server asks for, so that requests turned away together do not return together.
const maxJitter = 500 * time.Millisecond

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
	if resp.StatusCode == http.StatusTooManyRequests {
		release()
		if resp.Header.Get("Retry-After") == "" {
			// client-go retries only where the server says when. A proxy may not have said.
			resp.Header.Set("Retry-After", "1")
		}
		pause(ctx, rand.N(maxJitter))
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
