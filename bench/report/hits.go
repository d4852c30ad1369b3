package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/restflow-go/restflow/bench/peer"
)

// hit is a row of the table of hits.
type hit struct {
	peer      peer.Peer
	time      series
	bare, own series // ratios to bare Echo and to the bare framework it runs in
	allocs    float64
}

func (r *results) hits(body, suffix string) (rows []hit) {
	name := func(p string) string { return fmt.Sprintf("Hit/body=%s/peer=%s%s", body, p, suffix) }
	for _, p := range peer.All() {
		t := r.time(name(p.Name))
		if !t.present() {
			continue
		}
		rows = append(rows, hit{
			peer: p, time: t,
			bare:   t.over(r.time(name("bare-Echo"))),
			own:    t.over(r.time(name(p.Stack))),
			allocs: r.get(name(p.Name), "allocs/op").median(),
		})
	}
	slices.SortStableFunc(rows, func(a, b hit) int { return cmp.Compare(a.time.median(), b.time.median()) })
	return rows
}

// label marks restflow's own rows.
func label(p peer.Peer) string {
	switch p.Kind {
	case peer.Ours:
		return "**" + p.Name + "**"
	case peer.Theirs:
		return p.Name
	}
	return "*" + p.Name + "*"
}

// HitTable is the table of hits for a body, on one core or on all.
func (r *results) HitTable(body string, allCores bool) *table {
	t := &table{head: []string{"", "to bare Echo", "to its own bare framework", "time", "±", "allocations"}}
	suffix := ""
	if allCores {
		suffix = r.suffix()
	}
	for _, h := range r.hits(body, suffix) {
		t.row(label(h.peer), times(h.bare.median()), times(h.own.median()), span(h.time.median()), h.time.spread(), count(h.allocs))
	}
	return t
}

// BodyTable is how a hit grows with the body.
func (r *results) BodyTable() *table {
	t := &table{head: []string{"body", "to bare Echo", "hit", "bare Echo"}}
	for _, body := range []string{"1KiB", "16KiB", "64KiB", "256KiB", "1024KiB"} {
		ours, bare := r.time("Body/body="+body+"/peer=restflow"), r.time("Body/body="+body+"/peer=bare-Echo")
		t.row(body, times(ours.over(bare).median()), span(ours.median()), span(bare.median()))
	}
	return t
}

// RedisTable sets a hit on Redis beside a GET of the same value.
func (r *results) RedisTable() *table {
	t := &table{head: []string{"body", "to a raw GET", "±", "hit", "raw GET", "gocache and gob by hand"}}
	for _, body := range []string{"1KiB", "16KiB", "256KiB", "1024KiB"} {
		name := r.all("RedisHit/body=" + body + "/restflow")
		ours, raw := r.time(name), r.get(name, "get-ns/op")
		q := ours.over(raw)
		hand := r.time(r.all("RedisHitByHand/body=" + body + "/gocache-tags-Redis"))
		t.row(body, times(q.median()), q.spread(), span(ours.median()), span(raw.median()), span(hand.median()))
	}
	return t
}

// GrowthTable is how a hit grows with what there is of something.
func (r *results) GrowthTable(benchmark, what string) *table {
	t := &table{head: []string{what, "to the first row", "hit", "±"}}
	var first series
	for _, n := range r.children(benchmark + "/" + what + "=") {
		s := r.time(benchmark + "/" + what + "=" + n)
		if !first.present() {
			first = s
		}
		t.row(n, times(s.over(first).median()), span(s.median()), s.spread())
	}
	return t
}
