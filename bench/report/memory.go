package main

import (
	"math"
	"strings"

	"github.com/restflow-go/restflow/bench/peer"
)

// HeapTable is the memory that an entry takes.
func (r *results) HeapTable() *table {
	t := &table{head: []string{"", "to the body", "an entry", "taken up in advance"}}
	for _, p := range peer.Caches() {
		name := r.all("Heap/body=1KiB/peer=" + p.Name)
		s, fixed := r.get(name, "heap-B/entry"), none
		if s.present() {
			fixed = thousands(r.get(name, "fixed-KiB").median()) + " KiB"
		} else {
			s = r.get(r.all("RedisBytes/body=1KiB/peer="+p.Name), "redis-B/entry")
		}
		t.row(label(p), times(s.median()/1024), count(math.Round(s.median()))+" B", fixed)
	}
	return t
}

// MillionTable is what a million entries in a million partitions cost.
func (r *results) MillionTable() *table {
	t := &table{head: []string{"a million entries in a million partitions", ""}}
	at := func(part, unit string) float64 {
		return r.get(r.all("Million/entries=1000000/"+part), unit).median()
	}
	t.row("miss that fills an entry", span(at("collect", "fill-ns/entry")))
	t.row("hit, in random order", span(at("hit", "ns/op")))
	t.row("heap an entry, body of 64 bytes", significant(at("collect", "heap-B/entry"))+" B")
	t.row("one full garbage collection", span(at("collect", "ns/op")))
	t.row("longest pause of one", span(at("collect", "max-pause-ns")))
	t.row("entries of other partitions that an invalidation costs", significant(at("neighbours", "neighbours/op")))
	bounded := r.get(r.all("MillionBounded/entries=1000000"), "heap-MiB").median()
	t.row("heap of a store of 64 MiB after a million entries of 1 KiB", significant(bounded)+" MiB")
	return t
}

// ContentionTable is one hot item whose partition is invalidated over and over.
func (r *results) ContentionTable() *table {
	t := &table{head: []string{"invalidated every", "to bare Echo", "±", "request", "runs of the handler an invalidation"}}
	for _, every := range r.children("Contention/invalidated-every=") {
		name := r.all("Contention/invalidated-every=" + every)
		q := r.get(name, "x-bare")
		t.row(strings.Replace(every, "0s", "never", 1), times(q.median()), q.spread(), span(r.time(name).median()), significant(r.get(name, "runs/invalidation").median()))
	}
	return t
}
