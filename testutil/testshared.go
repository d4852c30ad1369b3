package testutil

import (
	"slices"
	"sync"
	"testing"

	"github.com/restflow-go/restflow"
)

// TestSharedStore checks that two processes that share a store keep each other's
// promises. open is called for each part with that part's t and returns two
// stores over the same backend that have nothing else in common, as two processes would
// have them. It closes both when t ends, by t.Cleanup.
func TestSharedStore(t *testing.T, open func(t *testing.T) (a, b *restflow.Store)) {
	for _, part := range sharedParts {
		t.Run(part.name, func(t *testing.T) {
			a, b := open(t)
			p := newProbe(t, a)
			part.check(p, p.on(b))
		})
	}
}

var sharedParts = []struct {
	name  string
	check func(a, b *probe)
}{
	{"an entry is seen by the other", entrySeen},
	{"a bump is seen by the other", bumpSeen},
	{"a soft bump here, and others there", softOn},
	{"T1 a late fill here after a bump there", lateFillThere},
	{"T2 who comes after a bump there joins no older run here", noOlderRunHere},
	{"both agree on the epochs that they make at once", epochRace},
	{"tags invalidated there", tagsThere},
	{"deleted there", deletedThere},
	{"never older than the last invalidation", func(a, b *probe) { hammerAll(a, a.s, b.s) }},
}

func entrySeen(a, b *probe) {
	k := a.key("k", "1", "u")
	a.fill(k, sample())
	here, there := a.load(k), b.load(k)
	if here.Entry == nil || there.Entry == nil {
		a.t.Fatalf("found here %t, there %t", here.Entry != nil, there.Entry != nil)
	}
	if err := differs(there.Entry, here.Entry); err != nil {
		a.t.Fatal(err)
	}
	if !slices.Equal(here.Epochs(), there.Epochs()) {
		a.t.Fatalf("epochs here %x, there %x", here.Epochs(), there.Epochs())
	}
}

func bumpSeen(a, b *probe) {
	k, other := a.key("k", "1", "u"), a.key("other", "2", "v")
	for i, s := range k.Scopes {
		a.fill(k, text("old"))
		b.want(k, "old")
		if i == 1 {
			b.fill(other, text("other"))
		}
		a.bump(s)
		b.want(k, "")
		a.want(k, "")
		if i > 0 {
			b.want(other, "other")
		}
	}
}

func lateFillThere(a, b *probe) {
	for i := range a.key("", "1", "u").Scopes {
		k := a.key("k", "1", "u")
		h := b.hold(b.ctx, k, b.byFill)
		a.bump(k.Scopes[i])
		h.end(text("old"))
		a.want(k, "")
		b.want(k, "")
	}
}

func noOlderRunHere(a, b *probe) {
	k := a.key("k", "1")
	older := b.hold(b.ctx, k, b.byFill)
	a.bump(k.Scopes[1])
	newer := b.hold(b.ctx, k, b.byFill) // fails if it waits for the older one
	newer.end(text("new"))
	a.want(k, "new")
	older.end(text("old"))
	if got := a.body(k); got == "old" {
		a.t.Fatal("an entry from before the bump is served")
	}
}

// epochRace lets both fill where no epoch exists. Whoever loses has filled in
// vain at worst: afterwards both see the same.
func epochRace(a, b *probe) {
	for range 20 {
		a.renew()
		b.space, b.all = a.space, a.all
		k := a.key("k", "1", "u")
		snapA, snapB := a.load(k), b.load(k)
		var wg sync.WaitGroup
		fill := func(p *probe, snap *restflow.Snapshot, body string) {
			o := p.byFill(p.ctx, k, snap, func(*restflow.Flight) *restflow.Entry { return text(body) })
			if o.err != nil || o.entry == nil { // it leads, or waits for the other one
				p.t.Errorf("%s: %+v", body, o)
			}
		}
		wg.Go(func() { fill(a, snapA, "a") })
		wg.Go(func() { fill(b, snapB, "b") })
		wg.Wait()
		here, there := a.load(k), b.load(k)
		if slices.Contains(here.Epochs(), 0) || !slices.Equal(here.Epochs(), there.Epochs()) {
			a.t.Fatalf("epochs here %x, there %x", here.Epochs(), there.Epochs())
		}
		if (here.Entry == nil) != (there.Entry == nil) {
			a.t.Fatalf("found here %t, there %t", here.Entry != nil, there.Entry != nil)
		}
		if here.Entry != nil {
			a.bump(k.Scopes[0])
			b.want(k, "")
		}
	}
}

func tagsThere(a, b *probe) {
	k := a.key("k", "1")
	a.fill(k, a.tagged("tagged", a.tagScopes("x")...))
	b.want(k, "tagged")
	b.invalidateTags("x")
	a.want(k, "")
}

func deletedThere(a, b *probe) {
	k := a.key("k", "1")
	a.fill(k, text("here"))
	b.delete(k)
	a.want(k, "")
}
