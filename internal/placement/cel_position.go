package placement

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
)

var undefinedField = regexp.MustCompile(`^undefined field '([^']*)'`)

// describeIssues prints what the compiler found, each with its place in the text.
func describeIssues(text string, issues *cel.Issues) string {
	described := make([]string, 0, len(issues.Errors()))
	for _, issue := range issues.Errors() {
		message := issue.Message
		if found := undefinedField.FindStringSubmatch(message); found != nil {
			message += suggest(found[1], fieldNames)
		}
		described = append(described, pointAt(text, issue.Location.Line(), issue.Location.Column(), message))
	}
	return strings.Join(described, "\n")
}

// pointAt prints "line:column: message" and the line below it with a caret under the place. CEL counts lines
// from 1 and columns from 0, in characters.
func pointAt(text string, line, column int, message string) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || column < 0 {
		return message
	}
	shown := strings.TrimRight(lines[line-1], "\r")
	// A tab is one character to CEL and several on the screen.
	shown = strings.ReplaceAll(shown, "\t", " ")
	return fmt.Sprintf("%d:%d: %s\n  %s\n  %s^", line, column+1, message, shown, strings.Repeat(" ", column))
}
