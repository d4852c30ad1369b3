package testutil

import (
	"time"

	"github.com/restflow-go/restflow"
)

func (p *probe) bumpSoft(window time.Duration, scopes ...restflow.Scope) {
	p.t.Helper()
	if err := p.s.BumpSoft(p.ctx, p.all, window, scopes...); err != nil {
		p.t.Fatalf("BumpSoft: %v", err)
	}
}

// left returns the body of what soft bumps have left of k, "" if nothing, and fails
// if k's entry is alive. A store may drop everything.
func (p *probe) left(k *restflow.Key) string {
	p.t.Helper()
	switch snap := p.load(k); {
	case snap.Entry != nil:
		p.t.Fatalf("entry of %q: alive after a soft bump", k.Bytes[len(p.space)+1:])
	case snap.Soft != nil && snap.Now >= snap.SoftUntil:
		p.t.Fatalf("entry of %q: left until %d, and found at %d", k.Bytes[len(p.space)+1:], snap.SoftUntil, snap.Now)
	case snap.Soft != nil:
		return string(snap.Soft.Body)
	}
	return ""
}

// gone fails if anything is left of k.
func (p *probe) gone(k *restflow.Key, after string) {
	p.t.Helper()
	if got := p.left(k); got != "" {
		p.t.Fatalf("after %s: %q is left", after, got)
	}
}

// bumpSoftly lets each kind of group be dropped softly, and what is left of it be
// ended by each other bump.
func bumpSoftly(p *probe) { softOn(p, p) }

func softOn(a, b *probe) {
	k := a.key("k", "1", "u")
	for _, s := range k.Scopes {
		for _, hard := range k.Scopes {
			a.fill(k, text("old"))
			a.bumpSoft(time.Hour, s)
			if got := b.left(k); got != "" && got != "old" {
				a.t.Fatalf("what is left: %q", got)
			}
			b.bump(hard)
			a.gone(k, "a hard bump")
			b.gone(k, "a hard bump")
		}
		a.fill(k, text("old"))
		a.bumpSoft(time.Hour, s)
		b.fill(k, text("new"))
		a.want(k, "new")
		a.bumpSoft(time.Nanosecond, s)
		a.await("the window ends", func() bool { return b.left(k) == "" })
		a.fill(k, text("newer"))
		b.bumpSoft(time.Hour, s)
		a.bumpSoft(time.Hour, s)
		b.gone(k, "a second soft bump")
		a.bump(s)
		b.bumpSoft(time.Hour, s)
		a.gone(k, "a soft bump of nothing")
	}
}

// softLateFill: what a fill saves that began before a soft bump is bound by its
// window, and no run from before it is joined.
func softLateFill(p *probe) {
	k := p.key("k", "1")
	older := p.hold(p.ctx, k, p.byFill)
	p.bumpSoft(time.Hour, k.Scopes[1])
	newer := p.hold(p.ctx, k, p.byFill) // fails if it waits for the older one
	newer.end(text("new"))
	p.want(k, "new")
	older.end(text("old"))
	if got := p.left(k); got != "" && got != "old" {
		p.t.Fatalf("what is left: %q", got)
	}
	p.bump(k.Scopes[0])
	p.gone(k, "a hard bump")
}
