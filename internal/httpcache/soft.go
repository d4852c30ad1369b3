package httpcache

import (
	"time"

	"github.com/restflow-go/restflow"
)

// soft answers a request whose entry a soft invalidation has left for a while.
func (e *Engine) soft(x *Exchange, entry *restflow.Entry) error {
	now := x.snap.Now
	switch {
	case !softens(entry, now):
		return e.miss(x, nil)
	case entry.Fresh(now) || e.revalidates(entry, now):
		e.revalidate(x)
		return e.replay(x, entry, restflow.Stale, outcome{hit: true, detail: "invalidated softly"})
	}
	return e.miss(x, entry)
}

// softens reports whether an entry may answer although it was invalidated: within
// its own life, and unless it says that it must never be stale (RFC 9111, 4.2.4).
func softens(entry *restflow.Entry, now int64) bool {
	r := response{fields: entry.Header}
	d := parseCacheControl(r.values("Cache-Control"))
	return entry.Servable(now) && !d.mustRevalidate && !d.sMaxAge.set
}

// metadata is that of the entry as the answer of x. What was invalidated has ceased
// to be fresh.
func (x *Exchange) metadata(entry *restflow.Entry, s restflow.Status) restflow.Metadata {
	m := entry.Metadata(s)
	if now := time.Unix(0, x.snap.Now); entry == x.snap.Soft && (m.ResetAt.IsZero() || m.ResetAt.After(now)) {
		m.ResetAt = now
	}
	return m
}

// stands reports whether an entry may stand in for a failure at now: only within its
// window, and that of a soft invalidation, which may have ended while the handler ran.
func (x *Exchange) stands(entry *restflow.Entry, now int64) bool {
	return entry.Servable(now) && (entry != x.snap.Soft || now < x.snap.SoftUntil)
}
