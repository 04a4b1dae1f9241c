package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of connections, as of the real API server.
const (
	maxStreams  = 100
	idleTimeout = 90 * time.Second
)

// Server serves all endpoints of a fleet, each on a port of its own.
type Server struct {
	tls    *tls.Config
	faults *Faults
	http   *http.Server
	failed chan error

	mu        sync.Mutex
	ports     map[*Endpoint]*port
	byAddress map[string]*port
}

// port is where an endpoint listens, unless it is down and refuses.
type port struct {
	address  string
	listener net.Listener
	open     map[net.Conn]struct{}
}

// NewServer makes a server that identifies itself by the configuration.
func NewServer(config *tls.Config, faults *Faults) *Server {
	s := &Server{tls: config.Clone(), faults: faults, failed: make(chan error, 1), ports: map[*Endpoint]*port{}, byAddress: map[string]*port{}}
	s.tls.NextProtos = []string{"h2", "http/1.1"}
	s.http = &http.Server{
		TLSConfig: s.tls, IdleTimeout: idleTimeout, ReadHeaderTimeout: 30 * time.Second,
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		BaseContext: baseContext, ConnState: s.follow,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			endpointOf(req.Context()).ServeHTTP(w, req)
		}),
	}
	return s
}

// Listen serves the endpoint on the port of this machine, 0 for any, and returns which.
func (s *Server) Listen(ctx context.Context, e *Endpoint, number int) (int, error) {
	p := &port{address: fmt.Sprintf("127.0.0.1:%d", number), open: map[net.Conn]struct{}{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(ctx, e, p); err != nil {
		return 0, err
	}
	s.ports[e] = p
	address, ok := p.listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("%s listens at %s, which is no TCP port", e.Name(), p.listener.Addr())
	}
	p.address = address.String()
	s.byAddress[p.address] = p
	return address.Port, nil
}

func (s *Server) start(ctx context.Context, e *Endpoint, p *port) error {
	var config net.ListenConfig
	plain, err := config.Listen(ctx, "tcp", p.address)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", e.Name(), err)
	}
	p.listener = &listener{Listener: tls.NewListener(plain, s.tls), endpoint: e}
	go func(l net.Listener) {
		if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			select {
			case s.failed <- fmt.Errorf("serve %s: %w", e.Name(), err):
			default:
			}
		}
	}(p.listener)
	return nil
}

// Adjust opens and closes ports as the knobs have it.
func (s *Server) Adjust(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, p := range s.ports {
		down, knobs, _ := s.faults.now(e.Name())
		refuse := down && knobs.DownMode == Refuse
		switch {
		case refuse && p.listener != nil:
			if err := p.listener.Close(); err != nil {
				return fmt.Errorf("close the port of %s: %w", e.Name(), err)
			}
			p.listener = nil
			for conn := range p.open {
				// It may have ended by itself.
				_ = conn.Close()
			}
		case !refuse && p.listener == nil:
			if err := s.start(ctx, e, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Wait returns when the context ends, or with what went wrong before.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case err := <-s.failed:
		return errors.Join(err, s.http.Close())
	case <-ctx.Done():
		return s.http.Close()
	}
}

// follow notes an endpoint's open connections.
func (s *Server) follow(conn net.Conn, state http.ConnState) {
	if state != http.StateNew && state != http.StateClosed && state != http.StateHijacked {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byAddress[conn.LocalAddr().String()]
	switch {
	case p == nil:
	case state == http.StateNew:
		p.open[conn] = struct{}{}
	default:
		delete(p.open, conn)
	}
}

// listener knows whose connections it accepts.
type listener struct {
	net.Listener
	endpoint *Endpoint
}

type endpointKey struct{}

func baseContext(l net.Listener) context.Context {
	if l, ok := l.(*listener); ok {
		return context.WithValue(context.Background(), endpointKey{}, l.endpoint)
	}
	return context.Background()
}

func endpointOf(ctx context.Context) *Endpoint {
	e, ok := ctx.Value(endpointKey{}).(*Endpoint)
	if !ok {
		// All listeners are made by this package, and have one.
		panic("a connection of no endpoint")
	}
	return e
}
