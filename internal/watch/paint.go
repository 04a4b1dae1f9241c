package watch

import (
	"fmt"
	"io"
	"strings"
)

// painter draws frames over each other, below what the terminal had on it before.
type painter struct {
	out           io.Writer
	drawn         int // lines of the last frame
	columns, rows int
	hidden        bool // the cursor
}

// frame draws the lines in place of those of the frame before.
func (p *painter) frame(lines []string, columns, rows int) {
	var b strings.Builder
	if !p.hidden {
		b.WriteString("\x1b[?25l")
		p.hidden = true
	}
	if p.columns != 0 && (columns != p.columns || rows != p.rows) {
		// A terminal that was resized has wrapped what was drawn, and nobody knows where.
		b.WriteString("\x1b[H\x1b[2J")
		p.drawn = 0
	}
	p.columns, p.rows = columns, rows
	b.WriteString(p.up())
	for _, line := range lines {
		b.WriteString("\x1b[2K" + line + "\r\n")
	}
	b.WriteString("\x1b[J")
	p.drawn = len(lines)
	_, _ = io.WriteString(p.out, b.String())
}

// up moves to where the frame begins.
func (p *painter) up() string {
	if p.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r", p.drawn)
}

// clear takes the frame away.
func (p *painter) clear() {
	if p.drawn > 0 {
		_, _ = io.WriteString(p.out, p.up()+"\x1b[J")
		p.drawn = 0
	}
}

// end gives the terminal back.
func (p *painter) end() {
	if p.hidden {
		_, _ = io.WriteString(p.out, "\x1b[?25h")
		p.hidden = false
	}
}
