package watch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/golden"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/watch"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// story is a rollout that halts, an event every five seconds.
func story() []progress.Event {
	step := func(cluster string, phase progress.Phase, done int, message string) progress.Event {
		return progress.Event{Kind: progress.Step, Set: "web", Cluster: cluster, Phase: phase, Done: done, Total: 12, Message: message}
	}
	waves := []progress.Wave{{Name: "canary", Clusters: []string{"eu-1"}}, {Name: "eu", Clusters: []string{"eu-2", "eu-3", "eu-4"}}, {Name: "rest", Clusters: []string{"edge-1", "us-1", "us-2"}}}
	events := []progress.Event{
		{Kind: progress.Begin, Set: "web", Verb: "apply", Waves: waves},
		step("edge-1", progress.Deferred, 0, "the cluster does not answer"),
		step("eu-1", progress.Applying, 3, ""),
		step("eu-1", progress.Settling, 12, "Deployment.apps web/web: 1 of 3 replicas ready"),
		step("eu-1", progress.Done, 12, ""),
		{Kind: progress.Note, Set: "web", Message: `wave "canary" is healthy, and soaks for 5m0s`},
		step("eu-2", progress.Applying, 4, ""),
		step("eu-3", progress.Applying, 5, ""),
		step("eu-2", progress.Failed, 4, "Deployment.apps web/web: 0 of 3 replicas ready after 10m0s; pod web-6d4-x2k: ImagePullBackOff (nginx:1.99 not found)"),
		step("eu-3", progress.Done, 12, ""),
		{Kind: progress.End, Set: "web", Message: `halted in wave "eu"`, Seconds: 50},
		{Kind: progress.Summary, Seconds: 55},
	}
	counts := map[progress.Phase]int{progress.Done: 2, progress.Failed: 1, progress.Waiting: 3, progress.Deferred: 1}
	events[len(events)-2].Counts, events[len(events)-1].Counts = counts, counts
	for i := range events {
		events[i].Time, events[i].Run = noon.Add(time.Duration(i)*5*time.Second), "r1"
	}
	return events
}

// terminal is a program's view of a terminal, and what is on it.
type terminal struct {
	vt10x.Terminal
	columns, rows int
}

func newTerminal(columns, rows int) *terminal {
	return &terminal{vt10x.New(vt10x.WithSize(columns, rows)), columns, rows}
}

func (t *terminal) size() (int, int, error) { return t.columns, t.rows, nil }

func (t *terminal) resize(columns, rows int) {
	t.columns, t.rows = columns, rows
	t.Resize(columns, rows)
}

// screen is what is seen, without the empty space around it.
func (t *terminal) screen() string {
	var lines []string
	for line := range strings.SplitSeq(t.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func appendTo(t *testing.T, path string, events ...progress.Event) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		// Half a line is what a reader may well find.
		for _, part := range []string{string(line[:len(line)/2]), string(line[len(line)/2:]) + "\n"} {
			if _, err := f.WriteString(part); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestScreen plays the story on a terminal, an event at a time, and looks at it after each.
func TestScreen(t *testing.T) {
	for _, size := range []struct{ columns, rows int }{{100, 24}, {44, 9}} {
		name := fmt.Sprintf("screen-%dx%d", size.columns, size.rows)
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "progress")
			term := newTerminal(size.columns, size.rows)
			_, _ = fmt.Fprint(term, "$ terraform-provider-fleet watch progress\r\n")
			events, at := story(), -1
			var log strings.Builder
			w := watch.Watch{Path: path, Out: term, Size: term.size, Patience: time.Hour, Refresh: time.Nanosecond}
			// The watch asks for the time once per frame, which is when the one before can be looked at.
			w.Now = func() time.Time {
				if at > 0 && at < len(events) {
					fmt.Fprintf(&log, "---- %s\n%s", events[at-1], term.screen())
				}
				if at++; at < len(events) {
					appendTo(t, path, events[at])
				}
				return noon.Add(time.Duration(at)*5*time.Second + time.Second)
			}
			appendTo(t, path, progress.Event{Run: "r1", Kind: progress.Begin, Set: "web", Verb: "apply", Time: noon})
			if err := w.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&log, "---- the end\n%s", term.screen())
			if !term.CursorVisible() {
				t.Error("the cursor is left hidden")
			}
			golden.Check(t, filepath.Join("testdata", name+".golden"), log.String())
		})
	}
}

// TestResize makes the terminal smaller and larger under way, and holds that nothing of the old frames is left.
func TestResize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	term := newTerminal(100, 24)
	appendTo(t, path, story()[:10]...)
	frames := 0
	w := watch.Watch{Path: path, Out: term, Size: term.size, Patience: time.Hour, Refresh: time.Nanosecond}
	w.Now = func() time.Time {
		switch frames++; frames {
		case 3:
			term.resize(50, 10)
		case 6:
			term.resize(90, 30)
		case 9:
			if got := strings.Count(term.screen(), "canary  ["); got != 1 {
				t.Errorf("the table is there %d times:\n%s", got, term.screen())
			}
			appendTo(t, path, story()[10:]...)
		}
		return noon
	}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := term.screen(); !strings.HasPrefix(got, "web  apply  2 done") {
		t.Errorf("the screen is\n%s", got)
	}
}

// TestLive has a process write through a Log while the watch draws.
func TestLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	old := story()
	appendTo(t, path, old...)
	term := newTerminal(100, 24)
	w := watch.Watch{Path: path, Out: term, Size: term.size, Now: time.Now, Refresh: time.Millisecond, Patience: time.Minute}
	over := make(chan error)
	go func() { over <- w.Run(context.Background()) }()
	for !strings.Contains(term.screen(), "Waiting for the next one") {
		time.Sleep(time.Millisecond)
	}
	log, err := progress.Open(path, progress.JSON)
	if err != nil {
		t.Fatal(err)
	}
	log.Add(progress.Event{Kind: progress.Begin, Set: "api", Verb: "destroy", Waves: []progress.Wave{{Name: "rest", Clusters: []string{"a", "b"}}}})
	for _, name := range []string{"a", "b"} {
		log.Add(progress.Event{Kind: progress.Step, Set: "api", Cluster: name, Phase: progress.Applying, Total: 2})
		log.Add(progress.Event{Kind: progress.Step, Set: "api", Cluster: name, Phase: progress.Done, Done: 2, Total: 2})
	}
	log.Add(progress.Event{Kind: progress.End, Set: "api"})
	log.Close()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if got := term.screen(); !strings.Contains(got, "\napi  destroy  2 done in 0s\n") || strings.Contains(got, "web  apply") {
		t.Errorf("the screen is\n%s", got)
	}
}

// TestFileBegunAnew has the file replaced by a shorter one under the watch's eyes.
func TestFileBegunAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	appendTo(t, path, story()...)
	var out strings.Builder
	w := watch.Watch{Path: path, Refresh: time.Nanosecond, Patience: time.Hour, Now: time.Now}
	w.Out = writer(func(p []byte) (int, error) {
		if strings.Contains(string(p), "Waiting for the next one") {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
			appendTo(t, path, progress.Event{Run: "r2", Kind: progress.Begin, Set: "api", Time: noon}, progress.Event{Run: "r2", Kind: progress.Summary, Time: noon})
		}
		return out.Write(p)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v:\n%s", err, ctx.Err(), out.String())
	}
	if !strings.Contains(out.String(), "api") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestPlain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	var out strings.Builder
	events := story()
	at := 0
	w := watch.Watch{Path: path, Out: &out, Refresh: time.Nanosecond, Patience: time.Hour, Now: time.Now}
	w.Out = writer(func(p []byte) (int, error) {
		// Each line that comes out lets the next event happen.
		if at < len(events) {
			appendTo(t, path, events[at])
			at++
		}
		return out.Write(p)
	})
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/plain.golden", strings.ReplaceAll(out.String(), path, "FILE"))
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	appendTo(t, path, story()...)
	var out strings.Builder
	w := watch.Watch{Path: path, Out: &out, Last: true, Now: time.Now}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/last.golden", out.String())
}

func TestTextIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress")
	if err := os.WriteFile(path, []byte("03:04:06  web  apply begins\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := watch.Watch{Path: path, Out: &strings.Builder{}, Now: time.Now}
	if err := w.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "JSON") {
		t.Errorf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{{nil, 2}, {[]string{"a", "b"}, 2}, {[]string{"-x", "a"}, 2}, {[]string{"-h"}, 0}, {[]string{"-last", "."}, 1}} {
		var stderr strings.Builder
		if got := watch.Main(test.args, os.Stdout, &stderr); got != test.want || stderr.Len() == 0 {
			t.Errorf("watch %q exits with %d and says %q, want %d", test.args, got, stderr.String(), test.want)
		}
	}
}

// TestScreenFits draws any board on a terminal of any size, and holds that nothing else on it is touched.
func TestScreenFits(t *testing.T) {
	phases := []progress.Phase{progress.Waiting, progress.Applying, progress.Settling, progress.Done, progress.Failed, progress.Deferred, progress.Held, progress.RollingBack, progress.RolledBack}
	rapid.Check(t, func(t *rapid.T) {
		var board progress.Board
		for i := range rapid.IntRange(0, 4).Draw(t, "sets") {
			set := fmt.Sprintf("set-%d", i)
			begin := progress.Event{Run: "r", Time: noon, Kind: progress.Begin, Set: set, Verb: "apply"}
			for j := range rapid.IntRange(0, 5).Draw(t, "waves") {
				wave := progress.Wave{Name: rapid.SampledFrom([]string{"w", "a-very-long-name-of-a-wave-that-goes-on", "東京"}).Draw(t, "wave") + fmt.Sprint(j)}
				for k := range rapid.IntRange(0, 9).Draw(t, "clusters") {
					wave.Clusters = append(wave.Clusters, fmt.Sprintf("c-%d-%d", j, k))
				}
				begin.Waves = append(begin.Waves, wave)
			}
			board.Add(begin)
			for _, w := range begin.Waves {
				for _, c := range w.Clusters {
					board.Add(progress.Event{Run: "r", Time: noon, Kind: progress.Step, Set: set, Cluster: c, Phase: rapid.SampledFrom(phases).Draw(t, "phase"),
						Message: rapid.SampledFrom([]string{"", "denied", "\x1b[2Jevil\r\n", strings.Repeat("long ", 40), "東京は大きい"}).Draw(t, "message")})
				}
			}
			if rapid.Bool().Draw(t, "ended") {
				board.Add(progress.Event{Run: "r", Time: noon, Kind: progress.End, Set: set})
			}
		}
		columns, rows := rapid.IntRange(20, 120).Draw(t, "columns"), rapid.IntRange(2, 40).Draw(t, "rows")
		lines := watch.Screen(&board, noon, columns, rows)
		if len(lines) > rows {
			t.Fatalf("%d lines on %d rows:\n%s", len(lines), rows, strings.Join(lines, "\n"))
		}
		term := vt10x.New(vt10x.WithSize(columns+1, rows+2))
		_, _ = term.Write([]byte("above\r\n" + strings.Join(lines, "\r\n")))
		if got := term.Cursor().Y; got != len(lines) {
			t.Fatalf("the cursor is in row %d, not %d: something wrapped\n%s", got, len(lines), term)
		}
		if !strings.HasPrefix(term.String(), "above") {
			t.Fatalf("what was above is gone:\n%s", term)
		}
	})
}

func TestBarShowsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[progress.Phase]int{
			progress.Done: rapid.IntRange(0, 1000).Draw(t, "done"), progress.Failed: rapid.IntRange(0, 3).Draw(t, "failed"),
			progress.Applying: rapid.IntRange(0, 32).Draw(t, "applying"), progress.Waiting: rapid.IntRange(0, 1000).Draw(t, "waiting"),
		}
		total := counts[progress.Done] + counts[progress.Failed] + counts[progress.Applying] + counts[progress.Waiting]
		bar := watch.Bar(counts, total, 20)
		if n := len([]rune(bar)); n != 22 {
			t.Fatalf("%q has %d cells", bar, n)
		}
		for phase, sign := range map[progress.Phase]string{progress.Done: "█", progress.Failed: "x", progress.Applying: "▒", progress.Waiting: "·"} {
			if (counts[phase] > 0) != strings.Contains(bar, sign) {
				t.Fatalf("%q does not show %d %s", bar, counts[phase], phase)
			}
		}
	})
}
