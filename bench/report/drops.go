package main

import (
	"fmt"

	"github.com/restflow-go/restflow/bench/peer"
)

// groupSizes are the sizes of the groups that were invalidated.
var groupSizes = []int{10, 1000, 100_000, 1_000_000}

// approach is one way to invalidate a group.
type approach struct{ label, benchmark, child string }

func (a approach) at(r *results, n int) series {
	return r.time(r.all(fmt.Sprintf("%s/entries=%d/%s", a.benchmark, n, a.child)))
}

var (
	oursRedis = approach{"restflow, Redis", "InvalidateRedis", "restflow"}
	onRedis   = []approach{
		oursRedis,
		{"SCAN and DEL, Redis", "InvalidateRedisScan", "scan-del"},
		{"gocache tags, Redis", "InvalidateRedisTags", "gocache-tags"},
	}
	oursMemory = approach{"restflow, memory", "InvalidateMemory", "restflow"}
	inMemory   = []approach{oursMemory, {"gocache tags, memory", "InvalidateMemoryTags", "gocache-tags"}}
)

// rawSet and rawDel are what a SET and a DEL of one key took in the same rounds.
func rawSet(r *results, n int) series {
	return r.get(r.all(fmt.Sprintf("InvalidateRedis/entries=%d/restflow", n)), "set-ns/op")
}

func rawDel(r *results, n int) series {
	return r.get(r.all(fmt.Sprintf("InvalidateRedis/entries=%d/restflow", n)), "del-ns/op")
}

// toEmpty is what an invalidation in memory took beside that of an empty group.
func toEmpty(r *results, n int) series {
	return r.get(r.all(fmt.Sprintf("InvalidateMemory/entries=%d/restflow", n)), "x-empty")
}

// DropRedisTable is the time to invalidate a group on Redis.
func (r *results) DropRedisTable() *table {
	t := &table{head: []string{"entries in the group", "to one raw SET", "to one raw DEL", "restflow", "±", "raw SET", "SCAN and DEL", "gocache tags"}}
	for _, n := range groupSizes {
		ours, set, del := oursRedis.at(r, n), rawSet(r, n), rawDel(r, n)
		t.row(thousands(float64(n)), times(ours.over(set).median()), times(ours.over(del).median()),
			span(ours.median()), ours.spread(), span(set.median()), span(onRedis[1].at(r, n).median()), span(onRedis[2].at(r, n).median()))
	}
	return t
}

// DropMemoryTable is the time to invalidate a group in memory.
func (r *results) DropMemoryTable() *table {
	t := &table{head: []string{"entries in the group", "to an empty group", "±", "restflow", "gocache tags"}}
	for _, n := range groupSizes {
		ours := oursMemory.at(r, n)
		t.row(thousands(float64(n)), times(toEmpty(r, n).median()), toEmpty(r, n).spread(), span(ours.median()), span(inMemory[1].at(r, n).median()))
	}
	return t
}

// StampedeTable is what becomes of 500 who ask for one cold item.
func (r *results) StampedeTable() *table {
	t := &table{head: []string{"", "runs of the handler", "all answered after", "±"}}
	for _, p := range peer.Caches() {
		name := r.all("Stampede/peer=" + p.Name)
		s := r.time(name)
		t.row(label(p), count(r.get(name, "runs/op").median()), span(s.median()), s.spread())
	}
	return t
}

// LateFillTable is who serves the old row after the invalidation has returned.
func (r *results) LateFillTable() *table {
	t := &table{head: []string{"", "old to who came later", "old to who joined"}}
	for _, p := range peer.Caches() {
		name := r.all("LateFill/peer=" + p.Name)
		late, joined := r.get(name, "%late-old"), r.get(name, "%joined-old")
		if !late.present() {
			t.row(label(p), "cannot invalidate", "cannot invalidate")
			continue
		}
		t.row(label(p), count(late.median())+" of 100", count(joined.median())+" of 100")
	}
	return t
}
