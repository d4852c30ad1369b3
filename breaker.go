package restflow

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// The breaker opens after this many failures in a row and lets one call try
// again after this long.
const (
	breakerFailures = 5
	breakerPause    = time.Second
)

// A breaker asks gobreaker only while there is trouble: it has a lock that all calls
// share, and while all of them succeed it has nothing to count.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
	trouble atomic.Bool // a call has failed, and none has succeeded since
}

func newBreaker(kind string) *breaker {
	return &breaker{circuit: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         "restflow " + kind,
		Timeout:      breakerPause,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return err == nil || answers(err) },
		IsExcluded:   saysNothing,
	})}
}

// do makes a call, unless the breaker is open, with ErrUnavailable.
func (b *breaker) do(call func() error) error {
	if !b.trouble.Load() {
		err := call()
		if err != nil && !answers(err) && !saysNothing(err) {
			b.trouble.Store(true)
			_ = b.pass(func() error { return err }) // to be counted
		}
		return err
	}
	err := b.pass(call)
	if b.circuit.State() == gobreaker.StateClosed && b.circuit.Counts().ConsecutiveFailures == 0 {
		b.trouble.Store(false)
	}
	return err
}

func (b *breaker) pass(call func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return ErrUnavailable
	}
	return err
}

// answers reports whether a failure shows that the store can be asked: a replica is
// away, or a Redis that is full takes no new values, while it still answers and
// invalidates.
func answers(err error) bool {
	return errors.Is(err, ErrUnconfirmed) || redis.IsOOMError(err)
}

// hurried is a failure that comes of the caller's deadline.
type hurried struct{ error }

func (h hurried) Unwrap() error { return h.error }

// saysNothing reports whether a failure says as little for the store as against it:
// the caller gave up, or gave it no time. It neither ends a row of failures nor closes
// the breaker.
func saysNothing(err error) bool {
	return err != nil && (errors.Is(err, context.Canceled) || errors.As(err, &hurried{}))
}
