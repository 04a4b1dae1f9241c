// Package progress tells how a long apply is getting on, in a file or on a terminal, one line per event: Terraform itself
// shows nothing of a resource while it is applied. A Log takes events from any number of goroutines and never holds one of
// them up; a Board is what the events so far amount to.
package progress
