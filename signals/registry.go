package signals

import (
	"context"
	"maps"
	"reflect"
	"slices"
)

// registry is all that is bound to a bus. It is immutable: replace makes a new one.
type registry struct {
	models      map[reflect.Type]*model
	rules       []*rule
	targets     []*target
	subscribers []*subscriber
}

// model is what is bound for one model type.
type model struct {
	rules    []*rule
	need     Need
	pointers [][]int
}

type subscriber struct {
	fn func(context.Context, []Change)
}

// replace edits a copy of the registry and makes it current. Callers must not hold b.mu.
func (b *Bus) replace(edit func(*registry)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replaceLocked(edit)
}

func (b *Bus) replaceLocked(edit func(*registry)) {
	old := b.registry.Load()
	next := &registry{
		models:      maps.Clone(old.models),
		rules:       slices.Clone(old.rules),
		targets:     slices.Clone(old.targets),
		subscribers: slices.Clone(old.subscribers),
	}
	edit(next)
	b.registry.Store(next)
}

func (r *registry) unsubscribe(s *subscriber) {
	r.subscribers = slices.DeleteFunc(r.subscribers, func(x *subscriber) bool { return x == s })
}

func (r *registry) snapshot(c Change) Change { return c }
