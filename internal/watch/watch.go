package watch

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

const usage = `Usage: terraform-provider-fleet watch [-plain] [-last] FILE

Draws what the provider writes to FILE, which is "progress" in its configuration,
while Terraform runs elsewhere. It ends when the run is over, with a summary.

  -plain  one line per event, which is also what comes out where the output is no terminal
  -last   show the last run in FILE, and do not wait for the next
`

// refresh is how often the file is looked at.
const refresh = 200 * time.Millisecond

// patience is how long the watch waits for the summary of a run whose sets have all ended; a process that is killed
// writes none.
const patience = 10 * time.Second

// Main is the subcommand. It returns the exit code: 0, 1 where the file cannot be read, 2 where the arguments are wrong.
func Main(args []string, stdout *os.File, stderr io.Writer) int {
	flags := flag.NewFlagSet("watch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { _, _ = io.WriteString(stderr, usage) }
	plain := flags.Bool("plain", false, "")
	last := flags.Bool("last", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil || flags.NArg() != 1 {
		if err == nil {
			flags.Usage()
		}
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := Watch{Path: flags.Arg(0), Out: stdout, Last: *last, Now: time.Now, Refresh: refresh, Patience: patience}
	if fd := int(stdout.Fd()); !*plain && term.IsTerminal(fd) {
		w.Size = func() (int, int, error) { return term.GetSize(fd) }
	}
	if err := w.Run(ctx); err != nil {
		_, _ = fmt.Fprintf(stderr, "watch: %v\n", err)
		return 1
	}
	return 0
}

// Watch follows one file.
type Watch struct {
	// Path is the progress file. It need not be there yet.
	Path string
	// Out is where to draw.
	Out io.Writer
	// Size is how large the terminal is, in columns and rows; nil means that Out is none.
	Size func() (columns, rows int, err error)
	// Last shows the last run in the file, and does not wait for another.
	Last bool
	// Now is the clock.
	Now func() time.Time
	// Refresh is how often the file is looked at.
	Refresh time.Duration
	// Patience is how long to wait for a summary after everything has ended.
	Patience time.Duration

	board progress.Board
	paint painter
	idle  time.Time // since when everything has ended
	ahead bool      // what the file had in it to begin with has been read
}

// Run draws until the run is over, or the context is.
func (w *Watch) Run(ctx context.Context) error {
	from := follower{path: w.Path}
	w.paint.out = w.Out
	defer w.paint.end()
	for {
		lines, err := from.more()
		if err != nil {
			return err
		}
		if err := w.read(lines); err != nil {
			return err
		}
		if w.over() {
			w.finish()
			return nil
		}
		if w.Size != nil {
			w.draw()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.Refresh):
		}
	}
}

// read takes lines of the file.
func (w *Watch) read(lines []string) error {
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return fmt.Errorf("%s has a line that is no event: %.80q; only progress that is written as JSON can be drawn, "+
				"text can be followed with tail -f", w.Path, line)
		}
		w.board.Add(e)
		if w.Size == nil && w.ahead {
			_, _ = fmt.Fprintln(w.Out, e.String())
		}
	}
	if !w.ahead {
		w.ahead = true
		w.begin()
	}
	return nil
}

// begin decides what becomes of a run that the file has in it already.
func (w *Watch) begin() {
	switch {
	case w.Last:
	case w.board.Closed || w.board.Idle():
		// Who watches now means the run that comes, not the one that was.
		w.say(fmt.Sprintf("The last run in %s is over (%s). Waiting for the next one; -last shows the last.", w.Path, progress.Counted(w.board.Counts())))
		w.board = progress.Board{}
	case len(w.board.Sets) == 0:
		w.say(fmt.Sprintf("Waiting for a run to write to %s.", w.Path))
	}
}

func (w *Watch) say(text string) { _, _ = fmt.Fprint(w.Out, text+w.newline()) }

func (w *Watch) newline() string {
	if w.Size != nil {
		return "\r\n"
	}
	return "\n"
}

// over tells whether there is nothing more to come.
func (w *Watch) over() bool {
	if w.board.Closed || w.Last {
		return true
	}
	if !w.board.Idle() {
		w.idle = time.Time{}
		return false
	}
	if w.idle.IsZero() {
		w.idle = w.Now()
	}
	return w.Now().Sub(w.idle) >= w.Patience
}

func (w *Watch) draw() {
	columns, rows, err := w.Size()
	if err != nil || columns <= 0 || rows <= 0 {
		columns, rows = 80, 24
	}
	if len(w.board.Sets) > 0 {
		// The last column and the last row are left free: a terminal wraps or scrolls when they are written to.
		w.paint.frame(Screen(&w.board, w.Now(), columns-1, rows-1), columns, rows)
	}
}

// finish leaves the summary behind.
func (w *Watch) finish() {
	w.paint.clear()
	for _, line := range Summary(&w.board) {
		w.say(line)
	}
}

// Summary tells how the run ended, and of every cluster that is not done, why.
func Summary(b *progress.Board) []string {
	var out []string
	for _, s := range b.Sets {
		if s.Ended.IsZero() {
			out = append(out, fmt.Sprintf("%s  %s  %s, not ended", s.Name, s.Verb, progress.Counted(s.Counts())))
		} else {
			out = append(out, ended(s))
		}
		for _, w := range s.Waves {
			for _, c := range w.Clusters {
				if c.Phase == progress.Done || c.Phase == progress.Waiting && c.Message == "" {
					continue
				}
				line := fmt.Sprintf("  %s  %s", c.Name, c.Phase)
				if c.Message != "" {
					line += ": " + c.Message
				}
				out = append(out, progress.Printable(line))
			}
		}
	}
	if len(b.Sets) != 1 {
		out = append(out, fmt.Sprintf("%d sets: %s", len(b.Sets), progress.Counted(b.Counts())))
	}
	return out
}
