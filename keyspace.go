package restflow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// Keyspace is what a plan means in a store: the scopes of its keys and the groups
// that its values name. It is the part that response caches and functions share,
// untyped; Space is its typed form. It is immutable and safe for concurrent use.
type Keyspace struct {
	Plan  *tagkey.Plan
	Store *Store

	all    Scope
	name   string
	parts  int                           // partition fields of the plan
	open   [tagkey.MaxPartitions][]Scope // of each partition field, the groups of requests that do not filter by it
	needed []tagkey.Field                // partition fields of text that every request has
}

// NewKeyspace returns the keyspace of plan in store.
func NewKeyspace(store *Store, plan *tagkey.Plan) *Keyspace {
	s := &Keyspace{
		Plan: plan, Store: store,
		all:   CacheScope(plan.Namespace()),
		name:  escapeName(plan.Namespace()) + ":v" + strconv.Itoa(plan.Version()),
		parts: len(plan.Partitions()),
	}
	for i, f := range plan.Partitions() {
		for _, field := range plan.Unfiltered(i) {
			s.open[i] = append(s.open[i], GroupScope(s.all, field))
		}
		if f.Source == "request" && !f.Optional && !f.BuiltIn() && f.Type.Kind() == reflect.String {
			s.needed = append(s.needed, f)
		}
	}
	return s
}

// escapeName makes a namespace fit for a part of a key's name: what could be
// taken for a separator, a glob or a hash tag is escaped as in a URL.
func escapeName(s string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-', c == '/':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// Fill sets dst to the store's key for k, with full as its bytes: k's own or an
// extension of them.
func (s *Keyspace) Fill(dst *Key, k *tagkey.Key, full []byte) {
	dst.Bytes, dst.Space = full, s.name
	dst.Scopes = append(dst.Scopes[:0], s.all)
	for i := range s.parts {
		dst.Scopes = append(dst.Scopes, GroupScope(s.all, k.Partition(i)))
	}
	if s.parts > 1 {
		dst.Scopes = append(dst.Scopes, TupleScope(dst.Scopes[1:]))
	}
}

// All is the scope of the whole cache.
func (s *Keyspace) All() Scope { return s.all }

// Covering returns the narrowest scope that covers the entries which agree with k
// in the partition fields at, which are ascending.
func (s *Keyspace) Covering(k *tagkey.Key, at []int) Scope {
	if len(at) == 0 {
		return s.all
	}
	if len(at) < s.parts || s.parts == 1 {
		return GroupScope(s.all, k.Partition(at[0]))
	}
	groups := make([]Scope, 0, MaxScopes)
	for _, i := range at {
		groups = append(groups, GroupScope(s.all, k.Partition(i)))
	}
	return TupleScope(groups)
}

// Scope returns the scope of the entries that agree with v, a K or *K, in the
// named partition fields; without names in all of them. A proper subset of two or
// more fields has no scope of its own: that of its first field covers it.
func (s *Keyspace) Scope(v any, names ...string) (Scope, error) {
	_, groups, err := s.groups(v, names)
	if err != nil {
		return s.all, err
	}
	return narrowest(groups), nil
}

// narrowest is the scope of the entries that belong to all of groups.
func narrowest(groups []Scope) Scope {
	if len(groups) == 1 {
		return groups[0]
	}
	return TupleScope(groups)
}

// groups returns the groups that v names, one or all, and of which partitions they are.
func (s *Keyspace) groups(v any, names []string) (at []int, groups []Scope, err error) {
	if at, err = s.partitions(v, names); err != nil {
		return nil, nil, err
	}
	groups = make([]Scope, 0, MaxScopes)
	var field []byte
	for _, i := range at {
		if field, err = s.Plan.AppendPartition(field[:0], i, v); err != nil {
			return nil, nil, err
		}
		groups = append(groups, GroupScope(s.all, field))
	}
	return at, groups, nil
}

// partitions returns which partitions of v tell its group: all, or the first of those
// that are named.
func (s *Keyspace) partitions(v any, names []string) (at []int, err error) {
	if s.parts == 0 {
		return nil, fmt.Errorf("restflow: %s has no partition field; flag one with \"partition\", or use InvalidateAll", s.Plan.Namespace())
	}
	if len(names) == 0 {
		at = make([]int, s.parts)
		for i := range at {
			at[i] = i
		}
		return at, s.complete(v)
	}
	if at, err = s.Plan.ResolvePartitions(names...); err != nil {
		return nil, err
	}
	slices.Sort(at)
	if len(at) < s.parts {
		at = at[:1]
	}
	return at, nil
}

// complete refuses a value that tells its group by all partition fields, and yet says
// nothing of who asked: hardly a group with entries, where a wider one was surely meant.
func (s *Keyspace) complete(v any) error {
	if len(s.needed) == 0 {
		return nil
	}
	k := reflect.Indirect(reflect.ValueOf(v))
	if k.Type() != s.Plan.Type() {
		return nil // building the key tells
	}
	for _, f := range s.needed {
		if k.FieldByIndex(f.Index).IsZero() {
			return fmt.Errorf("restflow: %s.%s (%s:%s) is empty, and no fields are named: name those that tell the group, and all of them if it is meant to be empty",
				s.Plan.Type().Name(), f.GoName, f.Source, f.SourceName)
		}
	}
	return nil
}

// reach returns the scopes of what a change in the group of v concerns: that group, and
// those of requests that leave some of its fields out, or send them empty. They ask for
// more than the group, as a list without its filter does.
func (s *Keyspace) reach(v any, names []string) ([]Scope, error) {
	at, groups, err := s.groups(v, names)
	if err != nil {
		return nil, err
	}
	tuples := [][]Scope{groups}
	for n, i := range at {
		before := tuples
		for _, open := range s.open[i] {
			if open == groups[n] {
				continue
			}
			for _, t := range before {
				t = slices.Clone(t)
				t[n] = open
				tuples = append(tuples, t)
			}
		}
	}
	scopes := make([]Scope, len(tuples))
	for i, t := range tuples {
		scopes[i] = narrowest(t)
	}
	return scopes, nil
}

// Invalidate drops the entries that agree with v in the named partition fields.
func (s *Keyspace) Invalidate(ctx context.Context, v any, names ...string) error {
	sc, err := s.Scope(v, names...)
	if err != nil {
		return err
	}
	return s.Store.Bump(ctx, s.all, sc)
}

// InvalidateAll drops every entry of the namespace.
func (s *Keyspace) InvalidateAll(ctx context.Context) error {
	return s.Store.Bump(ctx, s.all, s.all)
}

// Describe tells signals what its rules may name.
func (s *Keyspace) Describe() signals.TargetInfo {
	info := signals.TargetInfo{
		Name: s.Plan.Namespace(), KeyType: s.Plan.Type(),
		RewarmWhy: "it caches responses, and a rule has no request to answer",
	}
	for _, f := range s.Plan.Fields() {
		if len(f.Index) == 0 || f.Source == "const" || f.Source == "schema" {
			continue
		}
		info.Fields = append(info.Fields, signals.TargetField{Name: f.Name, Type: f.Type, Partition: f.Partition, Index: f.Index})
	}
	return info
}

// Drop invalidates groups, for signals, and beside each of them those of requests that
// leave query or path parameters out, or send them empty. Groups without a Soft go in one
// call of the store, and the others in a second one with the shortest Soft of theirs, so
// that the one change does not count as several. A group that cannot be built drops the
// whole cache.
func (s *Keyspace) Drop(ctx context.Context, groups []signals.Group) error {
	windows := make(map[Scope]time.Duration, 2*len(groups)) // zero: gone at once
	var errs []error
	for _, g := range groups {
		scopes, window := []Scope{s.all}, max(g.Soft, 0)
		if !g.All {
			var err error
			if scopes, err = s.reach(g.Key, g.Names); err != nil {
				errs = append(errs, err)
				scopes, window = []Scope{s.all}, 0
			}
		}
		for _, sc := range scopes {
			if before, ok := windows[sc]; ok {
				window = min(window, before)
			}
			windows[sc] = window
		}
	}
	hard, soft, shortest := parted(windows)
	if slices.Contains(hard, s.all) { // it covers the others
		hard, soft = []Scope{s.all}, nil
	}
	errs = append(errs, s.Store.Bump(ctx, s.all, hard...), s.Store.BumpSoft(ctx, s.all, shortest, soft...))
	return errors.Join(errs...)
}

// parted parts scopes by whether they have a window, and finds the shortest of these.
func parted(windows map[Scope]time.Duration) (hard, soft []Scope, shortest time.Duration) {
	for sc, window := range windows {
		if window == 0 {
			hard = append(hard, sc)
			continue
		}
		if soft = append(soft, sc); len(soft) == 1 || window < shortest {
			shortest = window
		}
	}
	return hard, soft, shortest
}

// Space is the part of a cache over key struct K that response caches and functions
// have in common: invalidation by hand and by rules. Both embed it.
type Space[K any] struct{ keyspace *Keyspace }

// NewSpace returns the space of a keyspace whose plan is K's, and makes it known
// to Wipe for as long as it is in use.
func NewSpace[K any](s *Keyspace) Space[K] {
	keyspaces.add(s)
	return Space[K]{s}
}

// Plan returns the compiled key struct.
func (s Space[K]) Plan() *tagkey.Plan { return s.keyspace.Plan }

// Store returns the store that the cache keeps its entries in.
func (s Space[K]) Store() *Store { return s.keyspace.Store }

// Invalidate drops every entry that agrees with k in the named partition fields,
// on every route and host and in every process that shares the store; without
// names, in all partition fields; then a required request field of type string that is
// empty is an error. Other fields of k are ignored.
//
//	cache.Invalidate(ctx, UserKey{PK: 42}, "pk") // user 42's page, for every viewer
//
// Once it has returned nil, no later request is answered from a handler run that
// started earlier. It costs one call to the store however many entries there are.
// Naming some, but not all, of three or more fields drops the wider group of the
// first named in key order. It does not end with ctx. On an error of the store the
// invalidation is retried until it succeeds; until then this process does not serve
// the group from the cache.
func (s Space[K]) Invalidate(ctx context.Context, k K, names ...string) error {
	return s.keyspace.Invalidate(ctx, &k, names...)
}

// InvalidateAll drops every entry of the cache's namespace, with the promises of
// Invalidate. Caches with one namespace on one store are dropped together.
func (s Space[K]) InvalidateAll(ctx context.Context) error {
	return s.keyspace.InvalidateAll(ctx)
}

// InvalidateTags drops every entry, of any cache on the store, that was tagged
// with one of tags while it was made, with the promises of Invalidate.
func (s Space[K]) InvalidateTags(ctx context.Context, tags ...string) error {
	return s.keyspace.Store.InvalidateTags(ctx, tags...)
}
