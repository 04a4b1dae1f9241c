package requests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
)

// Audit counts the requests of real clusters from their audit logs.
type Audit struct {
	logs  []*auditLog
	marks int
}

// Logged is a cluster with an audit log.
type Logged struct {
	// Name is the cluster's name.
	Name string
	// Path is its audit log, in lines of JSON.
	Path string
	// Config is how to reach it.
	Config *rest.Config
}

type auditLog struct {
	Logged
	client *http.Client
	offset int64
}

// NewAudit is a counter for clusters.
func NewAudit(clusters []Logged) (*Audit, error) {
	audit := &Audit{}
	for _, cluster := range clusters {
		config := rest.CopyConfig(cluster.Config)
		config.UserAgent = UserAgent
		client, err := rest.HTTPClientFor(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cluster.Name, err)
		}
		audit.logs = append(audit.logs, &auditLog{Logged: cluster, client: client})
	}
	return audit, nil
}

// Begin implements Counter.
func (a *Audit) Begin(ctx context.Context) error {
	a.marks++
	return a.each(ctx, func(ctx context.Context, _ int, log *auditLog) error {
		_, err := log.upTo(ctx, a.marks)
		return err
	})
}

// End implements Counter.
func (a *Audit) End(ctx context.Context) (Counts, error) {
	a.marks++
	parts := make([]Counts, len(a.logs))
	err := a.each(ctx, func(ctx context.Context, i int, log *auditLog) error {
		content, err := log.upTo(ctx, a.marks)
		if err != nil {
			return err
		}
		parts[i], err = countAudit(content)
		return err
	})
	return sum(parts), err
}

func (a *Audit) each(ctx context.Context, do func(ctx context.Context, i int, log *auditLog) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, log := range a.logs {
		group.Go(func() error {
			if err := do(ctx, i, log); err != nil {
				return fmt.Errorf("%s: counting requests: %w", log.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// settled is how long a log has to stay as it is after a mark: a server writes a request's line after its answer.
const settled = 100 * time.Millisecond

// upTo sends a request that marks a place in the log, waits for it to appear and for the log to settle, and returns
// what the log got since the last time.
func (l *auditLog) upTo(ctx context.Context, mark int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	path := fmt.Sprintf("/version?fleet-bench=%d-%d", os.Getpid(), mark)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(l.Config.Host, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", UserAgent)
	response, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	var content []byte
	for quiet := time.Duration(0); quiet < settled; {
		const pause = 20 * time.Millisecond
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s does not show the request %s: %w", l.Path, path, ctx.Err())
		case <-time.After(pause):
		}
		more, err := readFrom(l.Path, l.offset)
		if err != nil {
			return nil, err
		}
		if len(more) == len(content) && bytes.Contains(more, []byte(path)) {
			quiet += pause
		} else {
			quiet = 0
		}
		content = more
	}
	l.offset += int64(len(content))
	return content, nil
}

// readFrom reads the whole lines of a file from an offset on.
func readFrom(path string, offset int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < offset {
		return nil, fmt.Errorf("%s has become shorter: somebody emptied it, or the server began a new one", path)
	}
	content, err := io.ReadAll(io.NewSectionReader(file, offset, info.Size()-offset))
	return content[:bytes.LastIndexByte(content, '\n')+1], err
}

// auditEvent is what is used of a line of an audit log.
type auditEvent struct {
	AuditID, Verb, RequestURI, UserAgent string
	ObjectRef                            *struct{ Resource string }
}

// countAudit counts the requests of an audit log's lines, each once, without the bench's own.
func countAudit(content []byte) (Counts, error) {
	counts := Counts{}
	seen := map[string]bool{} // a watch has a line when it begins and one when it ends
	lines := bufio.NewReader(bytes.NewReader(content))
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return counts, nil
		}
		var event auditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, fmt.Errorf("a line of the audit log: %w", err)
		}
		if seen[event.AuditID] || event.UserAgent == UserAgent {
			continue
		}
		seen[event.AuditID] = true
		counts[event.verb()]++
	}
}

func (e auditEvent) verb() string {
	uri, err := url.Parse(e.RequestURI)
	switch {
	case e.ObjectRef == nil || e.ObjectRef.Resource == "":
		return Discovery
	case err == nil && uri.Query().Has("dryRun"):
		return DryRun
	default:
		return e.Verb
	}
}

func sum(parts []Counts) Counts {
	total := Counts{}
	for _, part := range parts {
		for verb, n := range part {
			total[verb] += n
		}
	}
	return total
}
