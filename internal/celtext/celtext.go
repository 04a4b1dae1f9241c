// Package celtext has what the CEL expressions of selectors, prioritizers and health checks have in common: how large
// they may be, and how what is wrong with them points into their text. It is pure.
package celtext

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"
)

const (
	longest = 16 * 1024
	deepest = 200
	shown   = 160
)

// Options are those that every environment has: numbers of all types compare, times are in UTC, literals are checked when
// the expression is compiled, and its size is bounded.
func Options() []cel.EnvOption {
	return []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
		cel.ParserExpressionSizeLimit(longest),
		cel.ParserRecursionLimit(deepest),
	}
}

// Issues prints what the compiler found, each with its place in the text. hint yields what to add to a message.
func Issues(text string, issues *cel.Issues, hint func(message string) string) string {
	described := make([]string, 0, len(issues.Errors()))
	for _, issue := range issues.Errors() {
		described = append(described, pointAt(text, issue.Location.Line(), issue.Location.Column(), issue.Message+hint(issue.Message)))
	}
	return strings.Join(described, "\n")
}

// Failure prints an error of an evaluation, with its place in the text where that is known.
func Failure(text string, ast *cel.Ast, cause error) string {
	if at := (*types.Err)(nil); errors.As(cause, &at) {
		if location := ast.NativeRep().SourceInfo().GetStartLocation(at.NodeID()); location.Line() > 0 {
			return pointAt(text, location.Line(), location.Column(), cause.Error())
		}
	}
	return cause.Error()
}

// MissingKey tells whether an evaluation failed because a map or an object lacks a key, and which.
func MissingKey(cause error) (key string, ok bool) {
	if key, ok = strings.CutPrefix(cause.Error(), "no such key: "); ok {
		return key, true
	}
	return "", false
}

// TooCostly tells whether an evaluation was ended at its cost limit.
func TooCostly(cause error) bool {
	return errors.As(cause, &interpreter.EvalCancelledError{})
}

// OneLine prints an expression on one line, cut where it would fill the screen.
func OneLine(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(line) > shown {
		return string([]rune(line)[:shown]) + "…"
	}
	return line
}

// pointAt prints "line:column: message" and the line below it with a caret under the place. CEL counts lines
// from 1 and columns from 0, in characters.
func pointAt(text string, line, column int, message string) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || column < 0 {
		return message
	}
	// A tab is one character to CEL and several on the screen.
	at := strings.ReplaceAll(strings.TrimRight(lines[line-1], "\r"), "\t", " ")
	return fmt.Sprintf("%d:%d: %s\n  %s\n  %s^", line, column+1, message, at, strings.Repeat(" ", column))
}
