package replay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Target is an API server.
type Target struct {
	// Host is its URL.
	Host string
	// Client may do everything there.
	Client *http.Client
	// Patience is how long it may take to come to an answer that is waited for.
	Patience time.Duration
}

// Send sends an exchange's request, and returns the exchange with the target's answer.
func (t Target) Send(ctx context.Context, x Exchange) (Exchange, error) {
	req, err := http.NewRequestWithContext(ctx, x.Method, t.Host+x.Path, strings.NewReader(string(x.Body)))
	if err != nil {
		return x, fmt.Errorf("make the request: %w", err)
	}
	if x.ContentType != "" {
		req.Header.Set("Content-Type", x.ContentType)
	}
	req.Header.Set("Accept", "application/json")
	if x.Accept != "" {
		req.Header.Set("Accept", x.Accept)
	}
	resp, err := t.Client.Do(req)
	if err != nil {
		return x, fmt.Errorf("%s %s: %w", x.Method, x.Path, err)
	}
	body, err := io.ReadAll(resp.Body)
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return x, fmt.Errorf("read the answer: %w", err)
	}
	x.Status, x.Answer, x.answerType = resp.StatusCode, Text(body), resp.Header.Get("Content-Type")
	return x, nil
}

// until repeats the request until the status is as wanted, where one is.
func (t Target) until(ctx context.Context, x Exchange, status int) (Exchange, error) {
	for deadline := time.Now().Add(t.Patience); ; {
		got, err := t.Send(ctx, x)
		if err != nil || status == 0 || got.Status == status {
			return got, err
		}
		if time.Now().After(deadline) {
			return got, fmt.Errorf("%s %s: after %s still answered with %d, want %d: %s", x.Method, x.Path, t.Patience, got.Status, status, got.Answer)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return got, context.Cause(ctx)
		}
	}
}
