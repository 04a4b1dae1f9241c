package fleettest

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// ForwardProxy is a proxy for proxy_url: it opens tunnels for whoever knows the password.
type ForwardProxy struct {
	server         *httptest.Server
	user, password string
	tunnels        atomic.Int64
}

// NewForwardProxy starts a forward proxy; it ends with the test.
func NewForwardProxy(t testing.TB, user, password string) *ForwardProxy {
	t.Helper()
	p := &ForwardProxy{user: user, password: password}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	return p
}

// URL is the proxy's URL with user and password.
func (p *ForwardProxy) URL() string {
	u := url.URL{Scheme: "http", Host: p.server.Listener.Addr().String(), User: url.UserPassword(p.user, p.password)}
	return u.String()
}

// Tunnels is how many were opened.
func (p *ForwardProxy) Tunnels() int { return int(p.tunnels.Load()) }

func (p *ForwardProxy) serve(w http.ResponseWriter, r *http.Request) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password))
	if r.Header.Get("Proxy-Authorization") != want {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	upstream, err := net.DialTimeout("tcp", r.Host, 10*time.Second)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	p.tunnels.Add(1)
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	go func() {
		_, _ = io.Copy(upstream, buffered)
		_ = upstream.Close()
	}()
	_, _ = io.Copy(client, upstream)
}
