package main

import (
	"fmt"
	"math"

	"github.com/restflow-go/restflow/bench/peer"
)

// verdict says whether a target was reached.
func verdict(reached bool) string {
	if reached {
		return "yes"
	}
	return "**no**"
}

// TargetTable is what this project asks of itself, and what was measured.
func (r *results) TargetTable() *table {
	t := &table{head: []string{"target", "measured", "reached"}}
	add := func(target, measured string, reached bool) { t.row(target, measured, verdict(reached)) }
	for _, body := range []string{"1KiB", "16KiB"} {
		hits := r.hits(body, "")
		def, typed, bare := find(hits, "restflow"), find(hits, "restflow-typed-key"), find(hits, "bare-Echo")
		add("memory hit at most 1.6× bare Echo, "+body,
			fmt.Sprintf("%s; typed key %s", times(def.bare.median()), times(typed.bare.median())),
			def.bare.median() <= 1.6 && typed.bare.median() <= 1.6)
		more := max(def.allocs, typed.allocs) - bare.allocs
		add("at most 2 allocations more than it, "+body, fmt.Sprintf("%+.0f", more), more <= 2)
		for _, suffix := range []string{"", r.suffix()} {
			hits := r.hits(body, suffix)
			ours, next := find(hits, "restflow"), fastestPeer(hits)
			q := next.bare.median() / ours.bare.median()
			add(fmt.Sprintf("faster than every peer, %s, %s", body, cores(suffix)),
				fmt.Sprintf("the next is %s, %s as long", next.peer.Name, times(q)), q > 1)
		}
	}
	name, q := r.fastestSpread()
	add("faster than every peer, 10,000 items in turn", fmt.Sprintf("the fastest peer is %s, %s as long", name, times(q)), q > 1)
	for _, body := range []string{"1KiB", "16KiB"} {
		for _, clients := range []int{1, 8} {
			ours, raw := r.redisHit(body, clients)
			q := ours.over(raw).median()
			add(fmt.Sprintf("Redis hit at most 1.15× a raw GET, %s, clients at once: %d", body, clients), times(q), q <= 1.15)
		}
	}
	growth := oursRedis.at(r, 1_000_000).over(rawDel(r, 1_000_000)).median() / oursRedis.at(r, 10).over(rawDel(r, 10)).median()
	add("invalidation as fast for 1,000,000 entries as for 10, Redis (each to a DEL of its round)", times(growth), math.Abs(growth-1) <= 0.15)
	worst := 0.0
	for _, n := range groupSizes {
		worst = max(worst, oursRedis.at(r, n).over(rawSet(r, n)).median())
	}
	add("invalidation at most 1.5× a raw SET, Redis", times(worst)+" at worst", worst <= 1.5)
	growth = toEmpty(r, 1_000_000).median() / toEmpty(r, 10).median()
	add("invalidation as fast for 1,000,000 entries as for 10, memory (each to an empty group)", times(growth), math.Abs(growth-1) <= 0.15)
	runs, late := r.worstOfOurs()
	add("one run of the handler for 500 who ask at once", count(runs), runs == 1)
	add("nothing old after an invalidation has returned", count(late)+" of 100 races", late == 0)
	return t
}

func cores(suffix string) string {
	if suffix == "" {
		return "one core"
	}
	return "all cores"
}

func find(hits []hit, name string) hit {
	for _, h := range hits {
		if h.peer.Name == name {
			return h
		}
	}
	return hit{allocs: math.NaN()}
}

// fastestPeer returns the fastest cache that is not ours; hits are sorted.
func fastestPeer(hits []hit) hit {
	for _, h := range hits {
		if h.peer.Kind == peer.Theirs {
			return h
		}
	}
	return hit{}
}

// fastestSpread returns the peer that is fastest when another item is asked for each
// time, and its time to ours.
func (r *results) fastestSpread() (name string, q float64) {
	const prefix = "Spread/body=1KiB/peer="
	ours := r.get(prefix+"restflow", "x-bare").median()
	for _, p := range peer.Caches() {
		s := r.get(prefix+p.Name, "x-bare")
		if p.Kind == peer.Theirs && s.present() && (name == "" || s.median()/ours < q) {
			name, q = p.Name, s.median()/ours
		}
	}
	return name, q
}

// worstOfOurs returns the most runs in a stampede, and the most old answers.
func (r *results) worstOfOurs() (runs, old float64) {
	for _, p := range peer.Caches() {
		if p.Kind == peer.Ours {
			runs = max(runs, r.get(r.all("Stampede/peer="+p.Name), "runs/op").median())
			late := r.all("LateFill/peer=" + p.Name)
			old = max(old, r.get(late, "%late-old").median(), r.get(late, "%joined-old").median())
		}
	}
	return runs, old
}
