package signals

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Job is the work of one commit, or of one Batch, on one target. Its fields are shared: do not
// change them. A broker sends it with MarshalJSON; the other side runs what Bus.DecodeJob returns.
type Job struct {
	Target string   // the target's name
	Rules  []string // the rules that it serves
	Groups []Group  // to drop, in one batch; never empty
	Rewarm []any    // complete keys (*K) to compute again after that

	bus    *Bus
	target *target      // nil: every target of that name
	ran    *atomic.Bool // tells the bus whether a dispatcher that failed has run the job; may be nil
}

// Run drops the groups and then rewarms, within BusConfig.Timeout from now. Failures are
// reported before it returns; the error is that of the drop. Running a job twice is harmless.
func (j Job) Run(ctx context.Context) error {
	if j.bus == nil {
		return errors.New("signals: the job belongs to no bus; make it with Bus.DecodeJob")
	}
	if j.ran != nil {
		j.ran.Store(true)
	}
	if j.target == nil {
		return j.bus.runJob(ctx, j)
	}
	return j.bus.run(ctx, j.target, &j)
}

// runJob runs a job from outside on every target of its name.
func (b *Bus) runJob(ctx context.Context, j Job) error {
	if !b.calls.enter() {
		return ErrClosed
	}
	defer b.calls.leave()
	targets, err := b.registry.Load().named(j.Target)
	if err != nil || len(j.Groups) == 0 {
		return err
	}
	for _, t := range targets {
		for _, g := range j.Groups {
			if err := t.check(g); err != nil {
				return fmt.Errorf("signals: target %q: %w", j.Target, err)
			}
		}
	}
	var errs []error
	for _, t := range targets {
		errs = append(errs, b.run(ctx, t, &j))
	}
	return errors.Join(errs...)
}

// run does the work on one target.
func (b *Bus) run(ctx context.Context, t *target, j *Job) error {
	start := time.Now()
	err := b.runBounded(ctx, start, t, j)
	if b.config.OnEvent != nil {
		e := Event{Target: j.Target, Rules: j.Rules, Groups: len(j.Groups), Duration: time.Since(start), Err: err}
		e.All = slices.ContainsFunc(j.Groups, func(g Group) bool { return g.All })
		if err == nil {
			e.Rewarmed = len(j.Rewarm)
		}
		b.hook(ctx, "OnEvent", func() { b.config.OnEvent(ctx, e) })
	}
	return err
}

// runBounded gives the work its timeout, the cheap way if it is the only end that ctx can come to.
func (b *Bus) runBounded(ctx context.Context, start time.Time, t *target, j *Job) error {
	switch {
	case b.config.Timeout < 0:
		return b.dropAndRewarm(ctx, t, j)
	case ctx.Done() == nil:
		bound := newBounded(ctx, start, b.config.Timeout)
		defer bound.end(context.Canceled)
		return b.dropAndRewarm(bound, t, j)
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.Timeout)
	defer cancel()
	return b.dropAndRewarm(ctx, t, j)
}

func (b *Bus) dropAndRewarm(ctx context.Context, t *target, j *Job) error {
	if err := drop(ctx, t, j.Groups); err != nil {
		return b.report(ctx, j.failed(StageDrop, err))
	}
	if len(j.Rewarm) > 0 {
		if err := rewarm(ctx, t, j.Rewarm); err != nil {
			_ = b.report(ctx, j.failed(StageRewarm, err))
		}
	}
	return nil
}

func drop(ctx context.Context, t *target, groups []Group) (err error) {
	defer func() { caught(recover(), &err) }()
	return t.Drop(ctx, groups)
}

func rewarm(ctx context.Context, t *target, keys []any) (err error) {
	defer func() { caught(recover(), &err) }()
	if r, ok := t.Target.(Rewarmer); ok {
		return r.Rewarm(ctx, keys)
	}
	return errors.New("the target cannot rewarm")
}

func (j *Job) failed(stage Stage, err error) *WorkError {
	return &WorkError{Stage: stage, Rule: strings.Join(j.Rules, ", "), Target: j.Target, Err: err}
}
