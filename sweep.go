package restflow

import (
	"context"
	"errors"
)

// A sweeper is a backend that can list its entries.
type sweeper interface {
	// sweep goes over the entries in batches, from where sw's cursor says, and
	// removes those of previous versions, until all were seen or sw has enough.
	sweep(ctx context.Context, sw *sweep) error
}

// sweep is one call of DeletePreviousVersions.
type sweep struct {
	store *Store
	cfg   SweepConfig
	space string // whose cursors it takes: "User:v3"
	previous
	state Sweep
}

// note ends a batch and reports whether the sweep has enough.
func (sw *sweep) note(ctx context.Context, deleted int, cursor string) (enough bool) {
	sw.state.Batches++
	sw.state.Deleted += deleted
	sw.state.Cursor = cursor
	if sw.cfg.Progress != nil {
		sw.cfg.Progress(ctx, sw.state)
	}
	return sw.cfg.Limit > 0 && sw.state.Deleted >= sw.cfg.Limit
}

// errCursor is seen when a cursor was not returned by a call for the same
// namespace, version and kind of store.
var errCursor = errors.New("restflow: SweepConfig.Cursor is none of this cache's; give what an earlier call returned, or \"\" to start again")

// memoryCursor is where a sweep in memory goes on. What it has deleted is gone,
// so that it can only start again.
const memoryCursor = "memory"

func (m *memory) sweep(ctx context.Context, sw *sweep) error {
	if c := sw.state.Cursor; c != "" && c != memoryCursor {
		return errCursor
	}
	seen, deleted := 0, 0
	for slot, e := range m.cache.All() {
		if sw.hasKey(e.Key) {
			m.cache.Invalidate(slot)
			deleted++
		}
		if seen++; seen%sw.cfg.BatchSize > 0 {
			continue
		}
		if sw.note(ctx, deleted, memoryCursor) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		deleted = 0
	}
	sw.note(ctx, deleted, "")
	return nil
}
