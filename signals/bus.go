package signals

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// BusConfig configures a Bus. The zero value is useful.
type BusConfig struct {
	// Logger gets every failure, at level error. Default slog.Default().
	Logger *slog.Logger

	// Dispatcher runs the work of rules that name none. Default Inline.
	Dispatcher Dispatcher

	// Dispatchers are the ones that Named finds. "inline" is predefined.
	Dispatchers map[string]Dispatcher

	// Timeout bounds one job: a Drop and its Rewarm. Negative means no bound. Default 5 seconds.
	Timeout time.Duration

	// MaxGroups bounds the different groups of one target and commit; beyond it the whole cache
	// is dropped instead. It also bounds the keys that are rewarmed. Default 1,024.
	MaxGroups int

	// MaxQueued is the number of changes of one model that a Tx keeps; beyond it they become one
	// Bulk change. Default 10,000.
	MaxQueued int

	// OnError is called for every failure with a *WorkError, concurrently and on the goroutine
	// that failed. It must not block.
	OnError func(ctx context.Context, err error)

	// OnEvent is called after every job, concurrently. It must not block.
	OnEvent func(ctx context.Context, e Event)
}

func (c *BusConfig) setDefaults() {
	if c.Dispatcher == nil {
		c.Dispatcher = Inline
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.MaxGroups <= 0 {
		c.MaxGroups = 1024
	}
	if c.MaxQueued <= 0 {
		c.MaxQueued = 10_000
	}
}

// Bus carries changes to rules and subscribers. Make one with NewBus.
type Bus struct {
	config   BusConfig
	registry atomic.Pointer[registry]
	binding  sync.Mutex // one Bind at a time; taken before mu

	mu    sync.Mutex // held to replace the registry
	calls *gate      // of Publish and Apply
}

// NewBus returns a bus without rules.
func NewBus(config BusConfig) *Bus {
	config.setDefaults()
	b := &Bus{config: config, calls: newGate()}
	b.registry.Store(&registry{})
	return b
}

// Subscribe calls fn with the changes of every commit, after rules have run, on the goroutine of
// Publish. fn must not change or keep the slice. cancel ends it; it may be called often.
func (b *Bus) Subscribe(fn func(ctx context.Context, changes []Change)) (cancel func()) {
	s := &subscriber{fn: fn}
	_ = b.replace(func(r *registry) { r.subscribers = append(r.subscribers, s) }) // a closed bus has no more to tell
	return func() {
		_ = b.replace(func(r *registry) {
			r.subscribers = slices.DeleteFunc(r.subscribers, func(x *subscriber) bool { return x == s })
		})
	}
}
