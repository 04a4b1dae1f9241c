package fleet

import "strings"

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
