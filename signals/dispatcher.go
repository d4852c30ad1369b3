package signals

import (
	"context"
	"fmt"
)

// Dispatcher decides where a rule's work runs.
//
// Dispatch takes over the job: it runs it, now or later, here or (see Job.MarshalJSON) in another
// process. An error means that the job was not taken; the bus then reports it and runs the job
// itself, so that nothing is lost. ctx carries the values of the writer's context without its
// cancellation. Dispatch is called concurrently.
//
// A Dispatcher that has a method Close(context.Context) error is closed with the bus.
type Dispatcher interface {
	Dispatch(ctx context.Context, job Job) error
}

// DispatcherFunc makes a Dispatcher of a function.
type DispatcherFunc func(ctx context.Context, job Job) error

// Dispatch calls f.
func (f DispatcherFunc) Dispatch(ctx context.Context, job Job) error { return f(ctx, job) }

// Inline runs jobs within Publish, one after the other: when the commit returns, its entries are
// gone. It is the default.
var Inline Dispatcher = inline{}

type inline struct{}

func (inline) Dispatch(ctx context.Context, job Job) error { return job.Run(ctx) }
func (inline) String() string                              { return "inline" }

// Named is the dispatcher that BusConfig.Dispatchers holds under that name; "inline" is always
// there. Bind looks it up.
type Named string

// Dispatch fails: a name means something only to the bus that it is bound on.
func (n Named) Dispatch(context.Context, Job) error {
	return fmt.Errorf("signals: dispatcher %q was never resolved; pass the name to Rule.Dispatcher", string(n))
}

// closer is what the bus closes with itself.
type closer interface {
	Close(ctx context.Context) error
}
