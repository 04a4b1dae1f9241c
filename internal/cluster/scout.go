package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// silence is which part of the connect timeout the first contact with a cluster may take before others are scouted.
	silence = 5
	// scoutsAtOnce bounds the questions under way.
	scoutsAtOnce = 256
)

// scouts find out which servers do not answer. Terraform reads a few clusters at a time, and waiting for one silent site after the other would take the connect
// timeout for every few of them; scouts knock at all doors at once, as soon as there is one that stays shut. They ask as nobody: no credential is
// sent, and no plugin runs.
type scouts struct {
	once sync.Once
	mu   sync.Mutex
	back sync.WaitGroup
	// servers are by the URL that is asked.
	servers map[url.URL]*scouted
}

// scouted is what was found out about a server. silent may be read once done is closed.
type scouted struct {
	done   chan struct{}
	silent bool
}

// scout begins to find out which of all servers that the provider's configuration names do not answer, but for the one that is waited for already.
func (p *Pool) scout(waited Connection) {
	p.scouts.once.Do(func() {
		found := p.servers()
		if at, ok := askedAt(waited); ok {
			delete(found, at)
		}
		p.scouts.mu.Lock()
		p.scouts.servers = found
		p.scouts.mu.Unlock()
		p.scouts.back.Go(func() {
			var g errgroup.Group
			g.SetLimit(scoutsAtOnce)
			for at, s := range found {
				g.Go(func() error {
					defer close(s.done)
					s.silent = isSilent(&at, p.cfg.ConnectTimeout)
					return nil
				})
			}
			_ = g.Wait()
		})
	})
}

// servers are the URLs at which all servers can be asked that are reached by TLS and without a proxy.
func (p *Pool) servers() map[url.URL]*scouted {
	names := p.Named()
	if config, _, err := p.files.load(p.cfg.KubeconfigPaths); err == nil {
		names = slices.AppendSeq(names, maps.Keys(config.Contexts))
	}
	servers := map[url.URL]*scouted{}
	for _, name := range names {
		// What is wrong with a connection is said to who uses it.
		if m, err := p.resolve(name, Connection{}, ownPlace, true); err == nil {
			if at, ok := askedAt(m.Connection); ok {
				servers[at] = &scouted{done: make(chan struct{})}
			}
		}
	}
	return servers
}

// askedAt is the URL at which a server can be asked, if there is one.
func askedAt(c Connection) (at url.URL, ok bool) {
	u, err := url.Parse(c.Host)
	if err != nil || u.Scheme != "https" || c.ProxyURL != "" || os.Getenv("HTTPS_PROXY")+os.Getenv("https_proxy") != "" {
		return url.URL{}, false
	}
	return *u.JoinPath("version"), true
}

// isSilent tells whether nothing is heard from a server within the time. Any answer is one, a refusal as well; that it agrees on encryption is none, as what does
// that may be a balancer before it.
func isSilent(at *url.URL, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return false
	}
	req.Close = true
	port := at.Port()
	if port == "" {
		port = "443"
	}
	// Who it is does not matter here, only that it answers; whoever uses the connection verifies that. An http.Transport would go on dialing after the time.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is told
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(at.Hostname(), port))
	if err == nil {
		defer func() { _ = conn.Close() }()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		if err = req.Write(conn); err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
	}
	return err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// unlessSilent is a context that ends, with the cause that a first contact ends with, as soon as scouts have found that the server does not answer.
func (p *Pool) unlessSilent(ctx context.Context, c Connection) (context.Context, context.CancelFunc) {
	watched, cancel := context.WithCancelCause(ctx)
	at, _ := askedAt(c)
	p.scouts.mu.Lock()
	s := p.scouts.servers[at]
	p.scouts.mu.Unlock()
	if s == nil || p.cfg.UnreachableAfter > 0 {
		// Who is asked for some time is to be asked each time.
		return watched, func() { cancel(nil) }
	}
	select {
	case <-s.done:
		if s.silent {
			cancel(noAnswer{after: p.cfg.ConnectTimeout})
		}
	default:
		go func() {
			select {
			case <-s.done:
				if s.silent {
					cancel(noAnswer{after: p.cfg.ConnectTimeout})
				}
			case <-watched.Done():
			}
		}()
	}
	return watched, func() { cancel(nil) }
}
