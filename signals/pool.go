package signals

import (
	"context"
	"fmt"
	"sync"
)

// Overflow says what a Pool does with a job when its queue is full. Neither way loses it.
type Overflow uint8

const (
	// RunInline runs the job on the writer's goroutine. It is the default: the writer pays with
	// time, and the queue stays bounded.
	RunInline Overflow = iota

	// Wait lets the writer wait for room in the queue.
	Wait
)

// PoolConfig configures a Pool. The zero value is useful.
type PoolConfig struct {
	Workers  int      // goroutines at most; they start when they are needed. Default 4.
	Queue    int      // jobs that wait at most. Default 1,024.
	WhenFull Overflow // Default RunInline.
}

func (c *PoolConfig) setDefaults() {
	if c.Workers <= 0 {
		c.Workers = 4
	}
	if c.Queue <= 0 {
		c.Queue = 1024
	}
}

// Pool is a Dispatcher that runs jobs on a bounded number of goroutines, so that writers do not
// wait for the store. A writer may then read the old entry for a moment after its commit.
//
// Bus.Close closes the pools of its rules; share one among buses only if they end together.
type Pool struct {
	config PoolConfig
	queue  chan pooled

	mu      sync.Mutex // protects what follows
	workers int
	pending int // jobs that were taken and have not ended
	closed  bool
	drained chan struct{} // closed when closed is set and pending has reached zero
}

type pooled struct {
	ctx context.Context
	job Job
}

// NewPool returns a pool without goroutines; Dispatch starts them.
func NewPool(config PoolConfig) *Pool {
	config.setDefaults()
	return &Pool{config: config, queue: make(chan pooled, config.Queue), drained: make(chan struct{})}
}

// String returns "pool".
func (p *Pool) String() string { return "pool" }

// Dispatch queues the job. It returns ErrClosed after Close, and nil otherwise: failures of the
// job are reported by the bus.
func (p *Pool) Dispatch(ctx context.Context, job Job) error {
	if !p.begin() {
		return ErrClosed
	}
	item := pooled{ctx, job}
	if p.config.WhenFull == Wait {
		p.queue <- item
		return nil
	}
	select {
	case p.queue <- item:
	default:
		p.run(item)
	}
	return nil
}

// begin counts a job in and sees that there is a worker for it.
func (p *Pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.pending++
	if p.workers < p.config.Workers && p.workers < p.pending {
		p.workers++
		go p.work()
	}
	return true
}

func (p *Pool) work() {
	for {
		select {
		case item := <-p.queue:
			p.run(item)
		case <-p.drained:
			return
		}
	}
}

func (p *Pool) run(item pooled) {
	defer p.end()
	_ = item.job.Run(item.ctx) // has been reported
}

func (p *Pool) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending--; p.pending == 0 && p.closed {
		close(p.drained)
	}
}

// Close refuses new jobs and waits until all taken ones have ended. When ctx ends first, it
// returns an error that wraps the context's and tells how many jobs are left; they go on running.
// It may be called often.
func (p *Pool) Close(ctx context.Context) error {
	p.shut()
	select {
	case <-p.drained:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		return fmt.Errorf("signals: pool: %d jobs left: %w", p.pending, context.Cause(ctx))
	}
}

func (p *Pool) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && p.pending == 0 {
		close(p.drained)
	}
	p.closed = true
}
