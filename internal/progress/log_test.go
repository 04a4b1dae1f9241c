package progress_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

// memory is a file that can be read afterwards, and that can be made to hang.
type memory struct {
	strings.Builder
	gate chan struct{} // nil does not hang
}

func (m *memory) Write(p []byte) (int, error) {
	if m.gate != nil {
		<-m.gate
	}
	return m.Builder.Write(p)
}

func (*memory) Close() error { return nil }

// clock goes on by a second each time it is asked.
func clock() func() time.Time {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func story(l *progress.Log) {
	l.Add(progress.Event{Kind: progress.Begin, Set: "web", Verb: "apply", Waves: []progress.Wave{{Name: "canary", Clusters: []string{"eu-1"}}, {Name: "rest", Clusters: []string{"eu-2", "edge"}}}})
	l.Add(progress.Event{Kind: progress.Step, Set: "web", Cluster: "edge", Phase: progress.Deferred, Message: "unreachable"})
	l.Add(progress.Event{Kind: progress.Step, Set: "web", Cluster: "eu-1", Phase: progress.Applying, Done: 1, Total: 4})
	l.Add(progress.Event{Kind: progress.Step, Set: "web", Cluster: "eu-1", Phase: progress.Failed, Message: "denied\x1b[2J\nby a webhook"})
	l.Add(progress.Event{Kind: progress.Note, Set: "web", Wave: "canary", Message: "wave failed"})
	l.Add(progress.Event{Kind: progress.End, Set: "web", Message: "halted"})
}

func TestText(t *testing.T) {
	out := &memory{}
	l := progress.New(out, progress.Text, clock())
	story(l)
	l.Close()
	l.Close()
	l.Add(progress.Event{Kind: progress.Note, Message: "too late"})
	want := `03:04:06  web  apply begins:  canary (1), rest (2)
03:04:07  web  [rest]  edge  deferred  unreachable
03:04:08  web  [canary]  eu-1  applying  1/4
03:04:09  web  [canary]  eu-1  failed  denied·[2J by a webhook
03:04:10  web  [canary]  wave failed
03:04:11  web  end:  1 failed, 1 waiting, 1 deferred  in 5s  halted
03:04:12  summary:  1 failed, 1 waiting, 1 deferred  in 6s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJSONIsReadBackAsTheSameBoard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "progress.json")
	l, err := progress.Open(path, progress.FormatOf(path))
	if err != nil {
		t.Fatal(err)
	}
	story(l)
	progress.CloseAll()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var board progress.Board
	for line := range strings.Lines(string(text)) {
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		board.Add(e)
	}
	if !board.Closed || !board.Idle() || len(board.Sets) != 1 {
		t.Fatalf("the board is %+v", board)
	}
	want := map[progress.Phase]int{progress.Failed: 1, progress.Waiting: 1, progress.Deferred: 1}
	if diff := cmp.Diff(want, board.Counts()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(want, board.Last.Counts); diff != "" {
		t.Errorf("the summary counts (-want +got)\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the file: %v, %v", info.Mode(), err)
	}
}

func TestAFileThatHangsHoldsNobodyUp(t *testing.T) {
	out := &memory{gate: make(chan struct{})}
	l := progress.New(out, progress.JSON, clock())
	const events = 10_000
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range events / 4 {
				l.Add(progress.Event{Kind: progress.Step, Set: "web", Cluster: fmt.Sprintf("c%d", i), Phase: progress.Applying, Done: j, Total: events})
			}
		})
	}
	wg.Wait() // nothing has been written yet
	close(out.gate)
	l.Close()
	written, lost, last := 0, 0, progress.Event{}
	for lines := bufio.NewScanner(strings.NewReader(out.String())); lines.Scan(); {
		var e progress.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		written++
		lost += e.Lost
		last = e
	}
	if written+lost != events+1 || lost == 0 || last.Kind != progress.Summary {
		t.Errorf("%d written and %d lost of %d", written, lost, events+1)
	}
}

func TestBoard(t *testing.T) {
	begin := func(run, set string) progress.Event { return progress.Event{Run: run, Kind: progress.Begin, Set: set} }
	end := func(run, set string) progress.Event {
		return progress.Event{Run: run, Kind: progress.End, Set: set, Time: time.Unix(1, 0)}
	}
	summary := func(run string) progress.Event { return progress.Event{Run: run, Kind: progress.Summary} }
	for _, test := range []struct {
		about  string
		events []progress.Event
		want   string
	}{
		{"one run", []progress.Event{begin("1", "a"), end("1", "a"), summary("1")}, "1:a closed"},
		{"a run after another", []progress.Event{begin("1", "a"), end("1", "a"), summary("1"), begin("2", "b")}, "2:b"},
		{"two at a time", []progress.Event{begin("1", "a"), begin("2", "b"), end("1", "a"), summary("1")}, "1:a 2:b"},
		{"two at a time, both over", []progress.Event{begin("1", "a"), begin("2", "b"), end("1", "a"), summary("1"), end("2", "b"), summary("2")}, "1:a 2:b closed"},
		{"one that was killed", []progress.Event{begin("1", "a"), begin("1", "b"), begin("2", "a")}, "2:a"},
		{"a late summary", []progress.Event{begin("1", "a"), end("1", "a"), begin("2", "b"), summary("1")}, "2:b"},
	} {
		var board progress.Board
		for _, e := range test.events {
			board.Add(e)
		}
		var got []string
		for _, s := range board.Sets {
			got = append(got, s.Run+":"+s.Name)
		}
		if board.Closed {
			got = append(got, "closed")
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.about, diff)
		}
	}
}

func TestNoLogIsNoTrouble(t *testing.T) {
	var l *progress.Log
	l.Add(progress.Event{Kind: progress.Begin})
	l.Close()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	_, err := progress.Open(filepath.Join(t.TempDir(), "no", "such", "directory"), progress.JSON)
	if err == nil || !strings.Contains(err.Error(), "no such") {
		t.Errorf("got %v", err)
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]progress.Format{"-": progress.Text, "/dev/pts/3": progress.Text, "run.log": progress.Text, "a.TXT": progress.Text, "run": progress.JSON, "run.json": progress.JSON} {
		if got := progress.FormatOf(path); got != want {
			t.Errorf("%s is written as %s", path, got)
		}
	}
}
