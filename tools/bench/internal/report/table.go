package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Section is a table with its heading.
type Section struct {
	Title string
	// Note is a sentence below the title; empty for none.
	Note   string
	Header []string
	Rows   [][]string
}

// Text writes sections for a terminal.
func Text(w io.Writer, sections []Section) error {
	for _, section := range sections {
		if _, err := fmt.Fprintf(w, "\n%s\n%s\n", section.Title, strings.Repeat("-", utf8.RuneCountInString(section.Title))); err != nil {
			return err
		}
		if section.Note != "" {
			if _, err := fmt.Fprintln(w, section.Note); err != nil {
				return err
			}
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{section.Header}, section.Rows...) {
			if _, err := fmt.Fprintln(table, strings.TrimRight(strings.Join(row, "\t"), "\t")); err != nil {
				return err
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes sections for a page, with headings of the third level.
func Markdown(sections []Section) string {
	var text strings.Builder
	for i, section := range sections {
		if i > 0 {
			text.WriteString("\n")
		}
		fmt.Fprintf(&text, "### %s\n\n", section.Title)
		if section.Note != "" {
			fmt.Fprintf(&text, "%s\n\n", section.Note)
		}
		line := func(cells []string) {
			escaped := make([]string, len(cells))
			for i, cell := range cells {
				escaped[i] = strings.ReplaceAll(cell, "|", `\|`)
			}
			fmt.Fprintf(&text, "| %s |\n", strings.Join(escaped, " | "))
		}
		line(section.Header)
		// What is measured stands at the right, the names of it at the left.
		rule := make([]string, len(section.Header))
		for i := range rule {
			rule[i] = "---:"
			if i == 0 {
				rule[i] = "---"
			}
		}
		fmt.Fprintf(&text, "|%s|\n", strings.Join(rule, "|"))
		for _, row := range section.Rows {
			line(row)
		}
	}
	return text.String()
}

// Paste replaces what stands between the markers of a name in a page. A page without the markers is an error.
func Paste(page, name, content string) (string, error) {
	begin, end := fmt.Sprintf("<!-- bench: %s -->\n", name), fmt.Sprintf("<!-- bench: end of %s -->", name)
	before, rest, found := strings.Cut(page, begin)
	if !found {
		return "", fmt.Errorf("the page has no line %q", strings.TrimSpace(begin))
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("the page has no %q after %q", end, strings.TrimSpace(begin))
	}
	return before + begin + content + end + after, nil
}
