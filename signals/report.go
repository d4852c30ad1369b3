package signals

import (
	"context"
	"log/slog"
)

// report tells the log and the hook of a failure and returns it.
func (b *Bus) report(ctx context.Context, e *WorkError) error {
	log := b.config.Logger
	if log == nil {
		log = slog.Default()
	}
	log.LogAttrs(ctx, slog.LevelError, "signals: "+string(e.Stage)+" failed",
		slog.String("rule", e.Rule), slog.String("target", e.Target), slog.Any("error", e.Err))
	if b.config.OnError != nil {
		b.hook(ctx, "OnError", func() { b.config.OnError(ctx, e) })
	}
	return e
}

// hook calls a user's hook. One that panics is only logged: a failing OnError must not call
// itself.
func (b *Bus) hook(ctx context.Context, name string, call func()) {
	if err := guard(func() error { call(); return nil }); err != nil {
		log := b.config.Logger
		if log == nil {
			log = slog.Default()
		}
		log.LogAttrs(ctx, slog.LevelError, "signals: hook failed", slog.String("hook", name), slog.Any("error", err))
	}
}
