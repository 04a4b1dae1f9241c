package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
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
	// scoutsAtOnce bounds the handshakes under way.
	scoutsAtOnce = 256
)

// scouts find out which servers do not answer. Terraform reads a few clusters at a time, and waiting for one silent site after the other would take the connect
// timeout for every few of them; scouts knock at all doors at once, as soon as there is one that stays shut. They only agree on encryption: no credential is
// sent, and no plugin runs.
type scouts struct {
	once  sync.Once
	mu    sync.Mutex
	hosts map[string]*scouted
}

// scouted is what was found out about a server. silent may be read once done is closed.
type scouted struct {
	done   chan struct{}
	silent bool
}

// scout begins to find out which of all servers that the provider's configuration names do not answer.
func (p *Pool) scout() {
	p.scouts.once.Do(func() {
		found := map[string]*scouted{}
		for _, host := range p.hosts() {
			found[host] = &scouted{done: make(chan struct{})}
		}
		p.scouts.mu.Lock()
		p.scouts.hosts = found
		p.scouts.mu.Unlock()
		go func() {
			var g errgroup.Group
			g.SetLimit(scoutsAtOnce)
			for host, s := range found {
				g.Go(func() error {
					defer close(s.done)
					s.silent = isSilent(host, p.cfg.ConnectTimeout)
					return nil
				})
			}
			_ = g.Wait()
		}()
	})
}

// hosts are the addresses of all servers that can be knocked at: those that are reached by TLS and without a proxy.
func (p *Pool) hosts() []string {
	names := p.Named()
	if config, _, err := p.files.load(p.cfg.KubeconfigPaths); err == nil {
		names = slices.AppendSeq(names, maps.Keys(config.Contexts))
	}
	hosts := map[string]bool{}
	for _, name := range names {
		// What is wrong with a connection is said to who uses it.
		if m, err := p.resolve(name, Connection{}, ownPlace, true); err == nil {
			if host := addressOf(m.Connection); host != "" {
				hosts[host] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(hosts))
}

// addressOf is the address to knock at; empty where there is none.
func addressOf(c Connection) string {
	u, err := url.Parse(c.Host)
	if err != nil || u.Scheme != "https" || c.ProxyURL != "" || os.Getenv("HTTPS_PROXY")+os.Getenv("https_proxy") != "" {
		return ""
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return u.Host
}

// isSilent tells whether nothing is heard from a server within the time. Any answer is one, a refusal as well.
func isSilent(address string, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	// Who it is does not matter here, only that it answers; whoever uses the connection verifies that.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is sent
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
		return false
	}
	return errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// unlessSilent is a context that ends, with the cause that a first contact ends with, as soon as scouts have found that the server does not answer.
func (p *Pool) unlessSilent(ctx context.Context, c Connection) (context.Context, context.CancelFunc) {
	watched, cancel := context.WithCancelCause(ctx)
	p.scouts.mu.Lock()
	s := p.scouts.hosts[addressOf(c)]
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
