// Package watch is the subcommand that draws the progress file of a run which goes on elsewhere: a table with a bar per
// wave on a terminal, and plain lines where the output is none.
package watch
