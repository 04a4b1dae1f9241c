package fleet

import (
	"errors"
	"strings"
)

// Errors are errors of one type that came up together. Unlike those that errors.Join joins they can be walked as what they are.
type Errors[E error] []E

func (e Errors[E]) Error() string {
	texts := make([]string, 0, len(e))
	for _, one := range e {
		texts = append(texts, one.Error())
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets errors.Is and errors.As look at each.
func (e Errors[E]) Unwrap() []error {
	all := make([]error, 0, len(e))
	for _, one := range e {
		all = append(all, one)
	}
	return all
}

// Flatten returns the errors that were joined, however deeply, in their order; an error that joins none comes back as it is. What was
// wrapped around joined errors is lost. No error is no errors.
func Flatten(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, Flatten(e)...)
	}
	return out
}
