// Package endpoint puts the API of one simulated cluster on the network: who may ask, what is counted, and the faults that clients are to meet.
package endpoint

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/endpoints/responsewriter"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/apiserver"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// Endpoint serves one cluster.
type Endpoint struct {
	cluster *store.Cluster
	token   string
	api     http.Handler
	faults  *Faults
	counter *counter
}

// New makes the endpoint of a cluster, for bearers of the token and of certificates that the connection has verified.
func New(cluster *store.Cluster, token string, api http.Handler, faults *Faults) *Endpoint {
	return &Endpoint{cluster: cluster, token: token, api: api, faults: faults, counter: newCounter()}
}

// Name is the cluster's name.
func (e *Endpoint) Name() string { return e.cluster.Name }

// ServeHTTP serves a request, or lets it fail. What the counters say is served in any case. A cluster that is down answers nobody, not even that they are nobody.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	counters := req.URL.Path == "/metrics"
	var knobs Knobs
	if !counters {
		var ok bool
		if knobs, ok = e.wait(req.Context()); !ok {
			// Nobody is there any more to be told.
			panic(http.ErrAbortHandler)
		}
	}
	if !e.admitted(req) {
		write(w, http.StatusUnauthorized, unauthorized)
		return
	}
	if counters {
		e.counter.ServeHTTP(w, req)
		return
	}
	ctx, seen := apiserver.Watched(store.With(req.Context(), e.cluster))
	status := &recorder{ResponseWriter: w, status: http.StatusOK}
	wrapped := responsewriter.WrapForHTTP1Or2(status)
	if e.faults.unlucky(knobs.ErrorRate) {
		fail(wrapped, knobs.ErrorStatus)
		seen.Look(req)
	} else {
		e.serve(wrapped, req.WithContext(ctx))
	}
	e.counter.count(req, seen.Info, status.status)
}

func (e *Endpoint) serve(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/version":
		write(w, http.StatusOK, version)
	case "/readyz", "/livez", "/healthz":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok"))
	default:
		e.api.ServeHTTP(w, req)
	}
}

func (e *Endpoint) admitted(req *http.Request) bool {
	if req.TLS != nil && len(req.TLS.VerifiedChains) > 0 {
		return true
	}
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(token), []byte(e.token)) == 1
}

// wait waits for as long as the cluster is down, and then for the latency; it is not ok if the client has gone.
func (e *Endpoint) wait(ctx context.Context) (Knobs, bool) {
	for {
		down, knobs, changed := e.faults.now(e.Name())
		if !down {
			return knobs, sleep(ctx, time.Duration(knobs.Latency))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return knobs, false
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// Unwrap lets responsewriter find out what the writer below can do.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
