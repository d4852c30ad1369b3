package signals

import (
	"context"
	"slices"
)

// Publish hands the changes of one committed unit to rules and subscribers. The work of all rules
// on one target and dispatcher becomes one job. The work gets the values of ctx, but does not end
// with it. Changes without rules and subscribers cost nothing.
//
// The error joins the *WorkErrors of rules whose policy is Return, or is ErrClosed.
func (b *Bus) Publish(ctx context.Context, changes ...Change) error {
	reg := b.registry.Load()
	if !reg.listens(changes) {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if !b.calls.enter() {
		_ = b.report(ctx, &WorkError{Stage: StagePublish, Err: ErrClosed})
		return ErrClosed
	}
	defer b.calls.leave()
	err := b.runRules(ctx, reg, changes)
	if len(reg.subscribers) > 0 {
		b.tell(ctx, reg.subscribers, slices.Clone(changes))
	}
	return err
}

func (b *Bus) runRules(ctx context.Context, reg *registry, changes []Change) error {
	p := b.newPlan()
	defer p.release()
	for _, c := range changes {
		c.normalize()
		if m := reg.models[c.Model]; m != nil {
			p.add(ctx, m.rules, c)
		}
	}
	return p.send(ctx)
}

// tell calls subscribers; changes is a copy, since a caller's slice may be reused.
func (b *Bus) tell(ctx context.Context, subscribers []*subscriber, changes []Change) {
	for i := range changes {
		changes[i].normalize()
	}
	for _, s := range subscribers {
		if err := guard(func() error { s.fn(ctx, changes); return nil }); err != nil {
			_ = b.report(ctx, &WorkError{Stage: StageSubscribe, Err: err})
		}
	}
}

// publishLate publishes what nobody waits for; its failures are reported like all others.
func (b *Bus) publishLate(changes []Change) {
	_ = b.Publish(context.Background(), changes...)
}

// Apply drops groups of every target of that name: the consumer's side of a broker whose
// messages are not Jobs. It runs here, in one Drop per target. The error joins *WorkErrors, or is
// ErrClosed, wraps ErrNoTarget, or says which group does not fit. No groups means nothing to do.
func (b *Bus) Apply(ctx context.Context, target string, groups []Group) error {
	return b.runJob(ctx, Job{Target: target, Groups: groups, bus: b})
}
