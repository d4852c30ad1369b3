package signals

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// registry is all that is bound to a bus. It is immutable: replace makes a new one.
type registry struct {
	targets     []*target
	rules       []*rule
	subscribers []*subscriber

	models map[reflect.Type]*model // index of rules
	lanes  []*lane                 // of rules

	closers []closer // dispatchers of all rules that ever were, since their work may still run
}

// model is what is bound for one model type.
type model struct {
	rules  []*rule
	need   Need
	shared [][]int // pointers, slices and maps that a snapshot must copy, outer ones first
}

type subscriber struct {
	fn func(context.Context, []Change)
}

// replace edits a copy of the registry and makes it current. It fails on a closed bus.
func (b *Bus) replace(edit func(*registry)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls.closed() {
		return ErrClosed
	}
	old := b.registry.Load()
	next := &registry{
		targets:     slices.Clone(old.targets),
		rules:       slices.Clone(old.rules),
		subscribers: slices.Clone(old.subscribers),
		models:      old.models,
		lanes:       old.lanes,
		closers:     slices.Clone(old.closers),
	}
	edit(next)
	b.registry.Store(next)
	return nil
}

// index rebuilds what follows from rules.
func (r *registry) index() {
	r.models, r.lanes = make(map[reflect.Type]*model), nil
	for _, rule := range r.rules {
		m := r.models[rule.model]
		if m == nil {
			m = new(model)
			r.models[rule.model] = m
		}
		m.rules = append(m.rules, rule)
		m.need.add(rule)
		m.addShared(rule)
		if !slices.Contains(r.lanes, rule.lane) {
			r.lanes = append(r.lanes, rule.lane)
			r.closers = addCloser(r.closers, rule.lane.via.dispatcher)
		}
	}
}

// hears reports whether anyone listens to a model.
func (r *registry) hears(model reflect.Type) bool {
	return len(r.subscribers) > 0 || r.models[model] != nil
}

// listens reports whether any of the changes concerns anyone.
func (r *registry) listens(changes []Change) bool {
	if len(r.subscribers) > 0 {
		return len(changes) > 0
	}
	for i := range changes {
		if r.models[changes[i].model()] != nil {
			return true
		}
	}
	return false
}

// named finds the targets that share a name.
func (r *registry) named(name string) ([]*target, error) {
	var found []*target
	var names []string
	for _, t := range r.targets {
		names = append(names, t.info.Name)
		if t.info.Name == name {
			found = append(found, t)
		}
	}
	if found == nil {
		return nil, fmt.Errorf("signals: target %q: %w; %s", name, ErrNoTarget, choices(name, names))
	}
	return found, nil
}

func (n *Need) add(r *rule) {
	n.Ops |= r.ops
	n.Whole = n.Whole || r.functional() && len(r.reads) == 0
	n.Narrow = n.Narrow || r.narrow()
	for _, p := range r.paths() {
		if i, found := slices.BinarySearch(n.Fields, p.name); !found {
			n.Fields = slices.Insert(n.Fields, i, p.name)
		}
	}
}
