package tagkey

import (
	"errors"
	"fmt"
)

// The reasons why a key cannot be built. A [*ValueError] wraps one of them; test with errors.Is.
// None of them is a fault of a tag: tags are checked when a plan is compiled.
var (
	// ErrAbsent is seen when a required request field has no value: the context
	// key is not set, or a pointer on the way is nil.
	ErrAbsent = errors.New("required value is absent")
	// ErrSyntax is seen when text does not parse as the field's Go type or does
	// not fit into it, and when a query string is malformed.
	ErrSyntax = errors.New("value does not parse")
	// ErrRepeated is seen when a request has several values for a field that
	// holds one.
	ErrRepeated = errors.New("value is repeated")
	// ErrTooLarge is seen when a query string is longer than [MaxQueryBytes] or
	// has more than [MaxQueryParams] parameters.
	ErrTooLarge = errors.New("query string is too large")
	// ErrType is seen when a Go value has a type that cannot be used: a value
	// that is not of the key struct, or a context value that is no scalar.
	ErrType = errors.New("value has an unusable type")
	// ErrLookup is seen when a segment of a request field names no field, map
	// key or method of the value found.
	ErrLookup = errors.New("request path leads nowhere")
	// ErrArgument is seen when a plan with arg fields is given a request, or a
	// field is left to fill that only a value of the key struct has.
	ErrArgument = errors.New("arg fields have no value in a request")
	// ErrMethod is seen when a method or a context panicked or reported an
	// error while a value was read.
	ErrMethod = errors.New("method failed")
)

// ValueError tells why a request or a value of the key struct gives no key. A
// cache lets the handler answer such a request as if there were no cache.
//
// Values themselves never stand in the text: they may be secrets.
type ValueError struct {
	Field  string // Go name of the field, dotted through embedding; empty when no field is to blame
	Source string // source of the field's tag, such as "query"
	Name   string // name in the field's tag, such as "page" or "*"
	Err    error  // wraps one of the Err… sentinels
}

// Error says which field has no usable value, and why.
func (e *ValueError) Error() string {
	if e.Source == "" {
		return "tagkey: " + e.Err.Error()
	}
	return fmt.Sprintf("tagkey: %s (%s:%s): %s", e.Field, e.Source, e.Name, e.Err)
}

// Unwrap gives the reason.
func (e *ValueError) Unwrap() error { return e.Err }

// reason is a sentinel with a sentence of its own and, perhaps, a cause that
// is kept out of the text because it may quote the value.
type reason struct {
	text  string
	kind  error
	cause error
}

func (r *reason) Error() string { return r.text }

func (r *reason) Unwrap() []error {
	if r.cause == nil {
		return []error{r.kind}
	}
	return []error{r.kind, r.cause}
}

func because(kind error, format string, args ...any) error {
	return &reason{text: fmt.Sprintf(format, args...), kind: kind}
}

// catch turns a panic of foreign code into an error. It must be deferred directly.
func catch(err *error) {
	if p := recover(); p != nil {
		r := &reason{text: "a method panicked", kind: ErrMethod}
		if cause, ok := p.(error); ok {
			r.cause = cause
		}
		*err = r
	}
}
