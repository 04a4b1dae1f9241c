package replay

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Proxy passes requests on to a real API server and records them with its answers, in the order in which they were answered.
type Proxy struct {
	target Target

	mu        sync.Mutex
	exchanges []Exchange
}

// NewProxy makes a proxy in front of the target.
func NewProxy(target Target) *Proxy { return &Proxy{target: target} }

// ServeHTTP passes a request on. What could be answered in protobuf is answered in JSON, so that it can be read.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	accept := slices.DeleteFunc(strings.Split(req.Header.Get("Accept"), ","), func(kind string) bool { return strings.Contains(kind, "protobuf") })
	x, err := p.target.Send(req.Context(), Exchange{
		Method: req.Method, Path: req.URL.RequestURI(), ContentType: req.Header.Get("Content-Type"), Accept: strings.Join(accept, ","), Body: Text(body),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	p.mu.Lock()
	p.exchanges = append(p.exchanges, x)
	p.mu.Unlock()
	w.Header().Set("Content-Type", x.answerType)
	w.WriteHeader(x.Status)
	// Whoever does not read it has gone.
	_, _ = io.WriteString(w, string(x.Answer))
}

// Recorded is what was asked and answered so far. Of questions that were asked again and again, only the last answer counts; and answers that are not about objects
// are left out, since simulated clusters serve fewer groups.
func (p *Proxy) Recorded() []Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	var recorded []Exchange
	for i, x := range p.exchanges {
		if custom(x.Path) {
			continue
		}
		if x.Method == http.MethodGet {
			if again(p.exchanges[i:]) {
				continue
			}
			x.Eventually = true
		}
		if path, _, _ := strings.Cut(x.Path, "?"); path == "/version" || path == "/api" || path == "/apis" {
			x.Answer = ""
		}
		recorded = append(recorded, x)
	}
	return recorded
}

// custom tells whether a path is of a group that another test has defined, and that a look at all of a namespace comes across.
func custom(path string) bool {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[1] != "apis" || prefixed.MatchString(parts[2]) {
		return false
	}
	return strings.Contains(parts[2], ".") && !strings.HasSuffix(parts[2], ".k8s.io")
}

// again tells whether the first exchange is repeated before anything below its path is written.
func again(exchanges []Exchange) bool {
	first := exchanges[0]
	path, _, _ := strings.Cut(first.Path, "?")
	for _, x := range exchanges[1:] {
		if x.Method == http.MethodGet && x.Path == first.Path && x.Accept == first.Accept {
			return true
		}
		if x.Method != http.MethodGet && (strings.HasPrefix(x.Path, path) || strings.Contains(first.Path, "abelSelector")) {
			return false
		}
	}
	return false
}
