package fleettest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// Proxy stands in front of a real API server, counts what passes and breaks on request. It acts as an administrator
// towards the API server for requests that carry no token of their own, since it cannot pass client certificates on.
type Proxy struct {
	cluster *Cluster
	address string
	handler http.Handler

	mu       sync.Mutex
	server   *http.Server
	requests []Request
	faults   []*Fault
}

// Request is one request that reached a proxy.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	// Body is what was sent, for requests that write.
	Body []byte
	// Protocol is the version of HTTP.
	Protocol string
}

// IsDryRun tells whether the request asks to change nothing.
func (r Request) IsDryRun() bool { return r.Query.Get("dryRun") != "" }

// Fault is what a proxy does to requests instead of passing them on, or before.
type Fault struct {
	// Match chooses requests; nil matches all.
	Match func(Request) bool
	// After lets that many matching requests pass first; Times is how many are hit then, 0 for all.
	After, Times int
	// Delay holds a request back.
	Delay time.Duration
	// Status answers with that status, and RetryAfter, Body and ContentType, instead of passing the request on.
	Status      int
	RetryAfter  string
	Body        string
	ContentType string
	// Cut breaks the connection off instead of answering; with PassOn the API server gets the request first, so that
	// only the answer is lost.
	Cut    bool
	PassOn bool
}

// NewProxy starts a proxy in front of a cluster; it ends with the test.
func NewProxy(t testing.TB, c *Cluster) *Proxy {
	t.Helper()
	transport, err := rest.TransportFor(c.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(c.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{cluster: c}
	p.handler = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:     tokenOrAdmin{admin: transport, cluster: c},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler)
		},
	}
	p.Listen(t)
	t.Cleanup(p.Refuse)
	return p
}

// tokenOrAdmin sends requests that carry a token without the administrator's certificate.
type tokenOrAdmin struct {
	admin   http.RoundTripper
	cluster *Cluster
}

func (r tokenOrAdmin) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") == "" {
		return r.admin.RoundTrip(req)
	}
	plain, err := rest.TransportFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: r.cluster.CAFile}})
	if err != nil {
		return nil, err
	}
	return plain.RoundTrip(req)
}

// Host is the URL of the proxy, which presents a certificate that the cluster's authority signed.
func (p *Proxy) Host() string { return "https://" + p.address }

// Kubeconfig is the text of a kubeconfig with one context that goes through the proxy.
func (p *Proxy) Kubeconfig(t testing.TB) string {
	t.Helper()
	return KubeconfigText(p.cluster.Name, p.Host(), p.cluster.CA(t), map[string]string{
		"client-certificate-data": p.cluster.ClientCert(t), "client-key-data": p.cluster.ClientKey(t),
	})
}

// Refuse makes the proxy refuse connections, and breaks those that are open.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	p.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

// Listen makes the proxy accept connections again, at the same address.
func (p *Proxy) Listen(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return
	}
	address := p.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{p.cluster.signServer(t)}},
	}
	server := p.server
	go func() {
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("proxy of %s: %v", p.cluster.Name, err)
		}
	}()
}

// Inject adds a fault. The first one that matches a request hits it.
func (p *Proxy) Inject(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
}

// Heal drops all faults.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Requests are the requests since the last Forget, in the order they came.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Count counts the requests since the last Forget whose method is the one given, or any if "", and whose path contains
// the text given.
func (p *Proxy) Count(method, path string) int {
	count := 0
	for _, r := range p.Requests() {
		if (method == "" || r.Method == method) && strings.Contains(r.Path, path) {
			count++
		}
	}
	return count
}

// Forget starts counting anew.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	request := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Protocol: r.Proto}
	if r.Body != nil && r.Method != http.MethodGet {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		request.Body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
	}
	fault := p.record(request)
	if fault == nil {
		p.handler.ServeHTTP(w, r)
		return
	}
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case fault.Cut:
		if fault.PassOn {
			p.handler.ServeHTTP(discard{http.Header{}}, r)
		}
		panic(http.ErrAbortHandler)
	case fault.Status != 0:
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		if fault.ContentType != "" {
			w.Header().Set("Content-Type", fault.ContentType)
		}
		w.WriteHeader(fault.Status)
		_, _ = io.WriteString(w, fault.Body)
	default:
		p.handler.ServeHTTP(w, r)
	}
}

// record notes a request and returns the fault that hits it, if any.
func (p *Proxy) record(request Request) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, request)
	for i, fault := range p.faults {
		if fault.Match != nil && !fault.Match(request) {
			continue
		}
		if fault.After > 0 {
			fault.After--
			continue
		}
		if fault.Times > 0 {
			if fault.Times--; fault.Times == 0 {
				p.faults = slices.Delete(p.faults, i, i+1)
			}
		}
		return fault
	}
	return nil
}

// discard is a response that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
