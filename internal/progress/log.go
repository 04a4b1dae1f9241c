package progress

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// backlog is how many lines wait for a file that is slow; beyond it they are lost, and counted.
const backlog = 4096

// closing is how long the end of a process waits for a file that does not take what is written.
const closing = 2 * time.Second

// Format is how events are written.
type Format string

// The formats.
const (
	// JSON is one object per line.
	JSON Format = "json"
	// Text is one line for people.
	Text Format = "text"
)

// Log writes events. A nil Log drops them.
type Log struct {
	format Format
	out    io.WriteCloser
	run    string
	now    func() time.Time

	mu     sync.Mutex
	board  Board
	lost   int
	closed bool
	lines  chan []byte
	done   chan struct{}
}

// FormatOf is how events are written to a path: as text where a person reads them, which is on a terminal and in files
// called .txt or .log, and as JSON, which the subcommand watch draws, in others.
func FormatOf(path string) Format {
	if path == "-" || strings.HasPrefix(path, "/dev/") || slices.Contains([]string{".txt", ".log"}, strings.ToLower(filepath.Ext(path))) {
		return Text
	}
	return JSON
}

// Open appends to the file, which is created where there is none, and readable by its owner only. "-" is the terminal of the process, where it has one:
// its standard output belongs to Terraform.
func Open(path string, format Format) (*Log, error) {
	target, flags := path, os.O_WRONLY|os.O_APPEND|os.O_CREATE
	if path == "-" {
		target, flags = "/dev/tty", os.O_WRONLY
		if runtime.GOOS == "windows" {
			target = "CONOUT$"
		}
	}
	out, err := os.OpenFile(target, flags, 0o600)
	if err != nil && path == "-" {
		return nil, fmt.Errorf("progress: this process has no terminal to write to (%w); give a file, and draw it with the provider's subcommand watch", err)
	}
	if err != nil {
		return nil, fmt.Errorf("progress: %w", err)
	}
	return New(out, format, time.Now), nil
}

// New writes to out, which it closes in the end.
func New(out io.WriteCloser, format Format, now func() time.Time) *Log {
	l := &Log{format: format, out: out, run: rand.Text()[:8], now: now, lines: make(chan []byte, backlog), done: make(chan struct{})}
	go l.write()
	register(l)
	return l
}

// write is the only place that waits for the file.
func (l *Log) write() {
	defer close(l.done)
	for line := range l.lines {
		// A disk that is full is no reason to fail an apply.
		_, _ = l.out.Write(line)
	}
	_ = l.out.Close()
}

// Add writes the event. It never waits: what the file cannot take is lost, and the next line says how many were.
func (l *Log) Add(e Event) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.add(e)
	}
}

func (l *Log) add(e Event) {
	e.Time, e.Run, e.Lost = l.now().UTC(), l.run, l.lost
	for _, s := range l.board.Sets {
		if w, _ := s.find(e.Cluster); s.Name == e.Set && w != nil && e.Wave == "" {
			e.Wave = w.Name
		}
	}
	began := l.board.Began
	l.board.Add(e)
	switch e.Kind {
	case End:
		s := l.board.set(e)
		e.Counts, began = s.Counts(), s.Began
		e.Seconds = e.Time.Sub(began).Seconds()
	case Summary:
		e.Counts, e.Seconds = l.board.Counts(), e.Time.Sub(began).Seconds()
	case Begin, Step, Note:
	}
	if e.Kind == Summary {
		// The last line is worth waiting for: nothing else is held up any more.
		select {
		case l.lines <- l.line(e):
		case <-time.After(closing):
		}
		return
	}
	select {
	case l.lines <- l.line(e):
		l.lost = 0
	default:
		l.lost++
	}
}

// line is the event as it is written.
func (l *Log) line(e Event) []byte {
	if l.format == Text {
		return []byte(e.String() + "\n")
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil // an Event has nothing that cannot be encoded
	}
	return b.Bytes()
}

// Close writes the summary, if there was anything to sum up, and waits until all is written, but not for long.
func (l *Log) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	if !l.closed {
		if len(l.board.Sets) > 0 {
			l.add(Event{Kind: Summary})
		}
		l.closed = true
		close(l.lines)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(closing):
	}
}

// opened are the logs of this process, for whoever ends it.
var opened struct {
	sync.Mutex
	logs []*Log
}

func register(l *Log) {
	opened.Lock()
	defer opened.Unlock()
	opened.logs = append(opened.logs, l)
}

// CloseAll closes every log of the process, which is to be done before it ends.
func CloseAll() {
	opened.Lock()
	logs := opened.logs
	opened.logs = nil
	opened.Unlock()
	for _, l := range logs {
		l.Close()
	}
}
