package fleet

import (
	"regexp"
	"strings"
)

// Glob is a text in which "*" stands for any characters, none included, and "?" for one.
type Glob struct {
	text    string
	pattern *regexp.Regexp
}

// NewGlob makes a glob of a text.
func NewGlob(text string) Glob {
	if !strings.ContainsAny(text, "*?") {
		return Glob{text: text}
	}
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(text))
	return Glob{text: text, pattern: regexp.MustCompile(`(?s)^` + quoted + `$`)}
}

// Match tells whether the whole text fits.
func (g Glob) Match(text string) bool {
	if g.pattern == nil {
		return g.text == text
	}
	return g.pattern.MatchString(text)
}

// String is the text the glob was made of.
func (g Glob) String() string { return g.text }

// MarshalText prints the text the glob was made of.
func (g Glob) MarshalText() ([]byte, error) { return []byte(g.text), nil }

// UnmarshalText makes the glob of a text.
func (g *Glob) UnmarshalText(text []byte) error {
	*g = NewGlob(string(text))
	return nil
}
