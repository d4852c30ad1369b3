package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/restflow-go/restflow/bench/peer"
)

// hit is a row of the table of hits.
type hit struct {
	peer      peer.Peer
	time      series
	bare, own series // ratios to bare Echo and to the bare framework it runs in, lap by lap
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
			bare:   r.get(name(p.Name), "x-bare"),
			own:    r.get(name(p.Name), "x-own"),
			allocs: r.get(name(p.Name), "allocs/ask").median(),
		})
	}
	slices.SortStableFunc(rows, func(a, b hit) int { return cmp.Compare(a.bare.median(), b.bare.median()) })
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
	t := &table{head: []string{"", "to bare Echo", "±", "to its own bare framework", "time", "allocations"}}
	suffix := ""
	if allCores {
		suffix = r.suffix()
	}
	for _, h := range r.hits(body, suffix) {
		t.row(label(h.peer), times(h.bare.median()), h.bare.spread(), times(h.own.median()), span(h.time.median()), count(h.allocs))
	}
	return t
}

// BodyTable is how a hit grows with the body.
func (r *results) BodyTable() *table { return r.besideBare("Body", "body") }

// SpreadTable is a hit of another item each time.
func (r *results) SpreadTable() *table { return r.besideBare("Spread/body=1KiB", "peer") }

// GrowthTable is how a hit grows with what there is of something.
func (r *results) GrowthTable(benchmark, what string) *table { return r.besideBare(benchmark, what) }

func (r *results) besideBare(benchmark, what string) *table {
	t := &table{head: []string{what, "to bare Echo", "±", "hit"}}
	for _, n := range r.children(benchmark + "/" + what + "=") {
		name := benchmark + "/" + what + "=" + n
		q := r.get(name, "x-bare")
		t.row(n, times(q.median()), q.spread(), span(r.time(name).median()))
	}
	return t
}

// redisHit returns the time of a hit on Redis, and of a raw GET beside it.
func (r *results) redisHit(body string, clients int) (ours, raw series) {
	name := r.all(fmt.Sprintf("RedisHit/body=%s/clients=%d", body, clients))
	return r.time(name), r.get(name, "get-ns/op")
}

// RedisTable sets a hit on Redis beside a GET of the same value.
func (r *results) RedisTable() *table {
	t := &table{head: []string{"body", "clients at once", "to a raw GET", "±", "more than it", "hit", "raw GET", "gocache and gob by hand"}}
	for _, body := range []string{"1KiB", "16KiB", "256KiB", "1024KiB"} {
		for _, clients := range []int{1, 8} {
			ours, raw := r.redisHit(body, clients)
			hand := series{}
			if clients == 1 {
				hand = r.time(r.all("RedisHitByHand/body=" + body + "/gocache-tags-Redis"))
			}
			q := ours.over(raw)
			t.row(body, strconv.Itoa(clients), times(q.median()), q.spread(), span(ours.median()-raw.median()), span(ours.median()), span(raw.median()), span(hand.median()))
		}
	}
	return t
}
