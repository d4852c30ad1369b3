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

	// Wait lets the writer wait for room in the queue. Jobs must then not publish to the same
	// pool: all workers could come to wait for one another.
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
	jobs   *gate // that were taken and have not ended

	mu      sync.Mutex // protects workers
	workers int        // goroutines that were started
}

type pooled struct {
	ctx context.Context
	job Job
}

// NewPool returns a pool without goroutines; Dispatch starts them.
func NewPool(config PoolConfig) *Pool {
	config.setDefaults()
	return &Pool{config: config, queue: make(chan pooled, config.Queue), jobs: newGate()}
}

// String returns "pool".
func (p *Pool) String() string { return "pool" }

// Dispatch queues the job. It returns ErrClosed after Close, and nil otherwise: failures of the
// job are reported by the bus.
func (p *Pool) Dispatch(ctx context.Context, job Job) error {
	if !p.jobs.enter() {
		return ErrClosed
	}
	p.grow()
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

// grow starts one more worker, up to the limit.
func (p *Pool) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.workers < p.config.Workers {
		p.workers++
		go p.work()
	}
}

func (p *Pool) work() {
	for {
		select {
		case item := <-p.queue:
			p.run(item)
		case <-p.jobs.empty: // so the queue is empty as well
			return
		}
	}
}

func (p *Pool) run(item pooled) {
	defer p.jobs.leave()
	_ = item.job.Run(item.ctx) // has been reported
}

// Close refuses new jobs and waits until all taken ones have ended. When ctx ends first, it
// returns an error that wraps the context's and tells how many jobs are left; they go on running.
// It may be called often.
func (p *Pool) Close(ctx context.Context) error {
	p.jobs.shut()
	if n := p.jobs.wait(ctx); n > 0 {
		return fmt.Errorf("signals: pool: %d jobs left: %w", n, context.Cause(ctx))
	}
	return nil
}
