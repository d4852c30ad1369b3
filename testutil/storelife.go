package testutil

import (
	"errors"
	"time"

	"github.com/restflow-go/restflow"
)

func (p *probe) delete(k *restflow.Key) {
	p.t.Helper()
	if err := p.s.Delete(p.ctx, k); err != nil {
		p.t.Fatalf("Delete: %v", err)
	}
}

func deleteEntry(p *probe) {
	k, other := p.key("k", "1"), p.key("other", "1")
	p.fill(k, text("here"))
	p.fill(other, text("other"))
	p.delete(k)
	p.want(k, "")
	p.want(other, "other")
	p.delete(k) // what is not there is deleted already
	p.fill(k, text("again"))
	p.want(k, "again")
}

func deleteDuringFill(p *probe) {
	k := p.key("k", "1")
	h := p.hold(p.ctx, k, p.byFill)
	waiter := h.join(p.ctx, k)
	p.delete(k)
	if o := h.end(text("old")); o.entry != nil || !o.led || o.err != nil {
		p.t.Fatalf("a fill under way: %+v; want that it is not stored", o)
	}
	if o := p.receive(waiter); !o.led || o.entry == nil || string(o.entry.Body) != "a waiter ran" {
		p.t.Fatalf("a waiter: %+v; want that it leads the next run", o)
	}
	p.want(k, "a waiter ran")
}

func replaceEntry(p *probe) {
	k := p.key("k", "1")
	h := p.hold(p.ctx, k, p.byReplace)
	h.end(text("first"))
	p.want(k, "first")
	h = p.hold(p.ctx, k, p.byReplace)
	p.want(k, "first") // it answers until there is a new one
	if o := h.end(nil); o.entry != nil || o.err != nil {
		p.t.Fatalf("a replacement that made nothing: %+v", o)
	}
	p.want(k, "first")
	p.hold(p.ctx, k, p.byReplace).end(text("second"))
	p.want(k, "second")
}

// replaceDuringFill: a run begins, then a replacement, and the older run ends
// last. What it made is not stored.
func replaceDuringFill(p *probe) {
	k := p.key("k", "1")
	older := p.hold(p.ctx, k, p.byFill)
	newer := p.hold(p.ctx, k, p.byReplace)
	waiter := newer.join(p.ctx, k)
	if o := newer.end(text("new")); o.entry == nil || o.err != nil {
		p.t.Fatalf("the replacement: %+v", o)
	}
	if o := p.receive(waiter); o.entry == nil || string(o.entry.Body) != "new" {
		p.t.Fatalf("who came after the replacement began: %+v; want what it made", o)
	}
	if o := older.end(text("old")); o.entry != nil {
		p.t.Fatalf("the older run: %+v; want that it is not stored", o)
	}
	p.want(k, "new")
}

// short is a lifetime that a test can wait for, and a store's clock can measure.
const short = 50 * time.Millisecond

func expiry(p *probe) {
	k, forever := p.key("k", "1"), p.key("forever", "1")
	e := text("for a moment")
	e.Expires = time.Now().Add(short).UnixNano()
	e.StaleUntil = e.Expires
	p.fill(forever, text("for ever"))
	p.fill(k, e)
	p.await("the entry is gone or says that it is over", func() bool {
		e := p.load(k).Entry
		return e == nil || !e.Servable(time.Now().UnixNano())
	})
	// Clocks of stores are coarse, and early is only a miss.
	if early := e.Expires - time.Now().UnixNano(); early > int64(short)/2 {
		p.t.Fatalf("it was gone %v too early", time.Duration(early))
	}
	p.want(forever, "for ever")
}

func staleWindow(p *probe) {
	k := p.key("k", "1")
	e := text("stale")
	now := time.Now()
	e.Created, e.Expires, e.StaleUntil = now.Add(-time.Minute).UnixNano(), now.Add(-time.Second).UnixNano(), now.Add(time.Hour).UnixNano()
	p.fill(k, e)
	got := p.load(k).Entry
	if got == nil {
		p.t.Fatal("an entry past its TTL is gone before its stale window ends")
	}
	if got.Fresh(time.Now().UnixNano()) || !got.Servable(time.Now().UnixNano()) {
		p.t.Fatalf("fresh %t, servable %t; want stale and servable", got.Fresh(time.Now().UnixNano()), got.Servable(time.Now().UnixNano()))
	}
}

func savedTooLate(p *probe) {
	k := p.key("k", "1")
	e := text("over")
	e.Expires = time.Now().Add(-time.Second).UnixNano()
	e.StaleUntil = e.Expires
	p.fill(k, e)
	p.want(k, "")
}

func views(p *probe) {
	k, view := p.key("k", "1"), p.on(p.s.WithTimeout(patience))
	view.fill(k, text("by a view"))
	p.want(k, "by a view")
	h := p.hold(p.ctx, p.key("other", "1"), p.byFill)
	waiter := (&held{p: view, flight: h.flight}).join(p.ctx, p.key("other", "1"))
	h.end(text("one flight"))
	if o := p.receive(waiter); o.led || o.entry == nil {
		p.t.Fatalf("a fill of a view: %+v; want that it joins the store's", o)
	}
	view.bump(k.Scopes[1])
	p.want(k, "")
}

func closeTwice(p *probe) {
	p.fill(p.key("k", "1"), text("here"))
	if err := p.s.Close(); err != nil {
		p.t.Fatalf("Close: %v", err)
	}
	if err := p.s.Close(); !errors.Is(err, restflow.ErrClosed) {
		p.t.Fatalf("the second Close: got %v, want ErrClosed", err)
	}
}
