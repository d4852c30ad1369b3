package signals

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// rule is a Rule bound to a target: names are resolved and types checked, so that matching
// cannot fail by itself.
type rule struct {
	name  string
	label []string // the name alone, for jobs that serve no other rule
	model reflect.Type
	lane  *lane
	ops   Op

	watch   []*path // nil: every update fires
	moves   []*path // mapped, condition and read paths: an update that sets one moves the row between groups
	when    []condition
	reads   []*path // what functions read; nil: anything
	predict func(context.Context, Change) (bool, error)
	custom  func(context.Context, Change) ([]Group, error)
	typed   *typedKey
	names   []string // of typed's group
	mapper  *mapper  // also fills the keys of a rule with All and Rewarm
	all     bool
	rewarm  bool
	soft    time.Duration
	returns bool

	source Rule // as it was given, for Rules
}

// functional reports whether a function of the user's reads instances.
func (r *rule) functional() bool { return r.predict != nil || r.custom != nil || r.typed != nil }

// narrow reports whether an instance could make the rule drop less than the whole cache.
func (r *rule) narrow() bool {
	return !r.all || r.rewarm || r.watch != nil || r.when != nil || r.predict != nil
}

// paths are all that the rule reads by itself.
func (r *rule) paths() []*path { return slices.Concat(r.moves, r.watch) }

// fires decides whether the rule has work with a change. An error comes with true.
func (r *rule) fires(ctx context.Context, d *delta) (bool, error) {
	switch {
	case !r.ops.Has(d.Op), !r.watched(d):
		return false, nil
	case d.blind():
		return true, nil
	case !r.holds(d):
		return false, nil
	case r.predict == nil:
		return true, nil
	}
	return r.predicted(ctx, d)
}

// watched reports whether an update may have changed something that the rule watches.
func (r *rule) watched(d *delta) bool {
	if r.watch == nil || d.Op != Update {
		return true
	}
	for _, p := range r.watch {
		if !d.unset(p) && !d.same(p) {
			return true
		}
	}
	return slices.ContainsFunc(r.moves, d.mayMove)
}

func (r *rule) holds(d *delta) bool {
	return len(r.when) == 0 || d.hasAfter() && r.allHold(d, after) || d.hasBefore() && r.allHold(d, before)
}

func (r *rule) allHold(d *delta, at moment) bool {
	for i := range r.when {
		if !r.when[i].holds(d, at) {
			return false
		}
	}
	return true
}

func (r *rule) predicted(ctx context.Context, d *delta) (ok bool, err error) {
	defer func() {
		if caught(recover(), &err) || err != nil {
			ok = true
		}
	}()
	return r.predict(ctx, d.Change)
}

// collect adds the groups that a change concerns. After an error the caller widens.
func (r *rule) collect(ctx context.Context, d *delta, w *work) (err error) {
	defer func() { caught(recover(), &err) }()
	if r.all || d.blind() {
		w.groups.widenBy(r.soft)
	}
	switch {
	case d.blind(), w.groups.all && (!r.rewarm || w.rewarm.all): // nothing that could be added
	case r.custom != nil:
		return r.collectCustom(ctx, d, w)
	case r.typed != nil:
		r.collectTyped(d, w)
	case r.mapper != nil:
		r.collectMapped(d, w)
	}
	return nil
}

func (r *rule) collectCustom(ctx context.Context, d *delta, w *work) error {
	groups, err := r.custom(ctx, d.Change)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := r.lane.target.check(g); err != nil {
			return fmt.Errorf("a group that Invalidate returned: %w", err)
		}
		if g.Soft == 0 {
			g.Soft = r.soft
		}
		w.groups.add(g)
	}
	return nil
}

// collectMapped drops the group of each moment. When the update left every mapped field alone
// the two are one.
func (r *rule) collectMapped(d *delta, w *work) {
	if d.hasAfter() {
		k := r.mapper.build(d, after)
		w.add(r, k)
		if d.unsetAll(r.mapper.paths) {
			return
		}
	}
	if d.hasBefore() {
		k := r.mapper.build(d, before)
		k.complete = false // a previous key has nothing to be computed from
		w.add(r, k)
	}
}

// collectTyped does the same with a function. It may read any field unless Reads says which, so
// it runs only on images that hold them all.
func (r *rule) collectTyped(d *delta, w *work) {
	unmoved := d.unsetEverything() || len(r.reads) > 0 && d.unsetAll(r.reads)
	if d.hasAfter() && !r.call(d.new, w, r.rewarm) && !(unmoved && r.call(d.old, w, r.rewarm)) {
		w.groups.widenBy(r.soft)
	}
	if d.hasBefore() && !unmoved && !r.call(d.old, w, false) {
		w.groups.widenBy(r.soft)
	}
}

// call adds the group that On's function makes of an image; false means that the image does
// not hold enough.
func (r *rule) call(from image, w *work, rewarm bool) bool {
	enough := from.fields == nil && from.v.IsValid() || len(r.reads) > 0 && from.knowsAll(r.reads)
	if enough {
		w.add(r, keyed{key: r.typed.build(from.v.Addr().Interface()), names: r.names, complete: rewarm})
	}
	return enough
}
