// Package fleet is the vocabulary that every other package shares: clusters, selectors, object keys and
// field paths. It depends on nothing of this module, does no I/O and decides nothing.
package fleet
