package testutil

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/restflow-go/restflow"
)

// lateFill: a fill reads epochs, the bump comes, the fill saves.
func lateFill(p *probe) {
	for i := range p.key("", "1", "u").Scopes {
		p.renew()
		k := p.key("k", "1", "u")
		h := p.hold(p.ctx, k, p.byFill)
		waiter := h.join(p.ctx, k)
		p.bump(k.Scopes[i])
		if o := h.end(text("old")); o.entry == nil || !o.led || o.err != nil {
			p.t.Fatalf("the late fill: %+v; want its own entry for its own client", o)
		}
		if o := p.receive(waiter); o.led || o.err != nil {
			p.t.Fatalf("who waited since before the bump: %+v", o)
		}
		p.want(k, "")
		p.fill(k, text("new"))
		p.want(k, "new")
	}
}

func lateReplace(p *probe) {
	k := p.key("k", "1")
	p.fill(k, text("older"))
	h := p.hold(p.ctx, k, p.byReplace)
	p.bump(k.Scopes[1])
	h.end(text("old"))
	p.want(k, "")
}

// lateLaunch is lateFill for a refresh in the background.
func lateLaunch(p *probe) {
	k := p.key("k", "1")
	p.fill(k, text("older"))
	l := p.s.Launch(k, p.load(k))
	if l == nil {
		p.t.Fatal("Launch: got nil where nothing else is under way")
	}
	_, err := l.Run(p.ctx, func(*restflow.Flight) *restflow.Entry {
		p.bump(k.Scopes[1])
		return text("old")
	})
	if err != nil {
		p.t.Fatalf("Launch.Run: %v", err)
	}
	p.flush()
	p.want(k, "")
}

// noOlderRun: a run begins, the bump returns, a request comes while the run goes
// on. It must run itself, whichever of the two saves last.
func noOlderRun(p *probe) {
	for _, olderLast := range []bool{true, false} {
		p.renew()
		k := p.key("k", "1")
		older := p.hold(p.ctx, k, p.byFill)
		p.bump(k.Scopes[1])
		newer := p.hold(p.ctx, k, p.byFill) // fails if it waits for the older one
		if n := older.flight.Waiters(); n != 0 {
			p.t.Fatalf("%d wait for a run from before the bump", n)
		}
		first, second := newer, older
		if !olderLast {
			first, second = older, newer
		}
		for _, h := range []*held{first, second} {
			body := "new"
			if h == older {
				body = "old"
			}
			if o := h.end(text(body)); !o.led || o.err != nil {
				p.t.Fatalf("%s: %+v", body, o)
			}
		}
		// An old entry that came last lies dead over the new one: a miss.
		if got := p.body(k); got == "old" || !olderLast && got != "new" {
			p.t.Fatalf("older run last %t: got %q", olderLast, got)
		}
	}
}

// oneRun lets many miss at once, also where the epochs do not exist yet.
func oneRun(p *probe) {
	const callers = 50
	k := p.key("k", "1", "u")
	var runs, shared atomic.Int32
	var wg sync.WaitGroup
	snaps := make([]*restflow.Snapshot, callers)
	for i := range snaps {
		snaps[i] = p.load(k)
	}
	for _, snap := range snaps {
		wg.Go(func() {
			o := p.byFill(p.ctx, k, snap, func(f *restflow.Flight) *restflow.Entry {
				runs.Add(1)
				p.awaitWaiters(f, callers-1)
				return text("one for all")
			})
			if o.err != nil || o.entry == nil || string(o.entry.Body) != "one for all" {
				p.t.Errorf("a caller got %+v", o)
			}
			if !o.led {
				shared.Add(1)
			}
		})
	}
	wg.Wait()
	if runs.Load() != 1 || shared.Load() != callers-1 {
		p.t.Fatalf("%d callers: %d runs, %d shared; want 1 run", callers, runs.Load(), shared.Load())
	}
	p.want(k, "one for all")
}

func leaderPanics(p *probe) {
	k := p.key("k", "1")
	h := p.hold(p.ctx, k, p.byFill)
	first, second := h.join(p.ctx, k), h.join(p.ctx, k)
	if o := h.endWith(func() *restflow.Entry { panic("boom") }); o.panicked != "boom" {
		p.t.Fatalf("the leader: %+v; want its panic to go on", o)
	}
	for _, w := range []<-chan outcome{first, second} {
		if o := p.receive(w); o.entry != nil || o.led || o.err != nil {
			p.t.Fatalf("a waiter: %+v; want nothing, so that it runs itself", o)
		}
	}
	p.want(k, "")
	p.fill(k, text("the next one leads"))
}

func nothingMade(p *probe) {
	k := p.key("k", "1")
	h := p.hold(p.ctx, k, p.byFill)
	waiter := h.join(p.ctx, k)
	if o := h.end(nil); o.entry != nil || !o.led || o.err != nil {
		p.t.Fatalf("the leader: %+v; want led and nothing else", o)
	}
	if o := p.receive(waiter); o.entry != nil || o.led || o.err != nil {
		p.t.Fatalf("a waiter: %+v; want nothing, so that it runs itself", o)
	}
	p.want(k, "")
	p.fill(k, text("the next one leads"))
}

func waiterLeaves(p *probe) {
	k := p.key("k", "1")
	h := p.hold(p.ctx, k, p.byFill)
	ctx, cancel := context.WithCancel(p.ctx)
	waiter := h.join(ctx, k)
	cancel()
	if o := p.receive(waiter); o.entry != nil || o.led || o.err != nil {
		p.t.Fatalf("a waiter whose context has ended: %+v; want nothing", o)
	}
	p.await("nobody waits", func() bool { return h.flight.Waiters() == 0 })
	h.end(text("made all the same"))
	p.want(k, "made all the same")
}

func leaderWithoutClient(p *probe) {
	k := p.key("k", "1")
	ctx, cancel := context.WithCancel(p.ctx)
	h := p.hold(ctx, k, p.byFill)
	cancel()
	if o := h.end(text("saved")); o.entry == nil || o.err != nil {
		p.t.Fatalf("the leader: %+v", o)
	}
	p.want(k, "saved")
}
