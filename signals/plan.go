package signals

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// plan gathers the work of one commit, merged by lane. Plans are pooled: what they hand out in
// jobs is made new each time.
type plan struct {
	bus   *Bus
	delta delta
	works []work
	errs  []error // of rules whose policy is Return
}

// work is what one lane has to do for a commit.
type work struct {
	lane    *lane
	rules   []string
	groups  groupSet
	rewarm  groupSet // of complete keys
	returns bool
}

var plans = sync.Pool{New: func() any { return new(plan) }}

func (b *Bus) newPlan() *plan {
	p := plans.Get().(*plan)
	p.bus = b
	return p
}

// release forgets everything but scratch memory.
func (p *plan) release() {
	for i := range p.works {
		w := &p.works[i]
		w.groups.ids.reset()
		w.rewarm.ids.reset()
		*w = work{groups: groupSet{ids: w.groups.ids}, rewarm: groupSet{ids: w.rewarm.ids}}
	}
	*p = plan{works: p.works[:0]}
	plans.Put(p)
}

// add runs the rules of one model on one change.
func (p *plan) add(ctx context.Context, rules []*rule, c Change) {
	p.delta = newDelta(c)
	for _, r := range rules {
		p.apply(ctx, r)
	}
}

func (p *plan) apply(ctx context.Context, r *rule) {
	fires, err := r.fires(ctx, &p.delta)
	if !fires {
		return
	}
	w := p.work(r)
	if err != nil {
		p.failed(ctx, r, w, err)
	}
	if err := r.collect(ctx, &p.delta, w); err != nil {
		w.groups.widen()
		p.failed(ctx, r, w, err)
	}
}

// failed reports a function that failed. A panic widens wherever it was.
func (p *plan) failed(ctx context.Context, r *rule, w *work, err error) {
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		w.groups.widen()
	}
	err = p.bus.report(ctx, &WorkError{Stage: StageMatch, Rule: r.name, Target: r.lane.target.info.Name, Err: err})
	if r.returns {
		p.errs = append(p.errs, err)
	}
}

// work finds or adds the lane's work and notes the rule in it.
func (p *plan) work(r *rule) *work {
	i := slices.IndexFunc(p.works, func(w work) bool { return w.lane == r.lane })
	if i < 0 {
		i = len(p.works)
		p.works = slices.Grow(p.works, 1)[:i+1]
		p.works[i].start(r.lane, p.bus.config.MaxGroups)
	}
	w := &p.works[i]
	w.returns = w.returns || r.returns
	w.note(r)
	return w
}

func (w *work) start(l *lane, limit int) {
	w.lane = l
	w.groups.target, w.groups.limit = l.target, limit
	w.rewarm.target, w.rewarm.limit = l.target, limit
}

// note shares the rule's own label as long as it is alone.
func (w *work) note(r *rule) {
	switch {
	case w.rules == nil:
		w.rules = r.label
	case !slices.Contains(w.rules, r.name):
		w.rules = append(slices.Clip(w.rules), r.name)
	}
}

// add takes what a rule made of an instance.
func (w *work) add(r *rule, k keyed) {
	if k.skip {
		return
	}
	if !r.all {
		g := k.group()
		g.Soft = r.soft
		w.groups.add(g)
	}
	if r.rewarm && k.complete {
		w.rewarm.add(Group{Names: w.lane.keyNames, Key: k.key})
	}
}

// merge takes the work of another commit, for batching.
func (w *work) merge(o *work) {
	for _, name := range o.rules {
		if !slices.Contains(w.rules, name) {
			w.rules = append(slices.Clip(w.rules), name)
		}
	}
	for _, g := range o.groups.list() {
		w.groups.add(g)
	}
	for _, g := range o.rewarm.groups {
		w.rewarm.add(g)
	}
}

// job is the work as data.
func (w *work) job(b *Bus) Job {
	j := Job{Target: w.lane.target.info.Name, Rules: w.rules, Groups: w.groups.list(), bus: b, target: w.lane.target}
	for _, g := range w.rewarm.groups {
		j.Rewarm = append(j.Rewarm, g.Key)
	}
	return j
}

// send hands all work to the lanes and returns what rules asked to hear.
func (p *plan) send(ctx context.Context) error {
	for i := range p.works {
		w := &p.works[i]
		if w.groups.empty() {
			continue
		}
		if err := w.lane.send(ctx, p.bus, w); err != nil && w.returns {
			p.errs = append(p.errs, err)
		}
	}
	return errors.Join(p.errs...)
}
