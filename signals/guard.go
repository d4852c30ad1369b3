package signals

import "runtime/debug"

// caught turns a recovered panic into an error; use it as caught(recover(), &err) in a deferred
// function.
func caught(value any, err *error) bool {
	if value == nil {
		return false
	}
	*err = &PanicError{Value: value, Stack: debug.Stack()}
	return true
}

// guard runs a user's function.
func guard(fn func() error) (err error) {
	defer func() { caught(recover(), &err) }()
	return fn()
}
