package restflow

import "time"

// Status says how a cache answered one request or call.
type Status uint8

// The statuses, spelled on the wire as in X-Cache-Status.
const (
	// Bypass: the cache took no part. The request may not be cached, its key
	// cannot be built, or the store is in trouble; the handler answered.
	Bypass Status = iota
	// Hit: a fresh entry answered; the handler did not run.
	Hit
	// Miss: no live entry was found; the handler, or another request's
	// handler that was already running, answered.
	Miss
	// Stale: an entry answered that is past its TTL but inside an allowed stale
	// window, or that a rule with Soft has invalidated.
	Stale
	// Refresh: the handler or function ran to replace the entry. The caller asked
	// for it with Refresh and got the answer; or, in events, a background refresh
	// or a rule's Rewarm ran it, and nobody waited for it.
	Refresh
)

var statusNames = [...]string{"BYPASS", "HIT", "MISS", "STALE", "REFRESH"}

// String returns the status as it stands in the X-Cache-Status header.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "UNKNOWN"
}

// Metadata tells where an answer came from. Its zero value means that no cache took
// part.
type Metadata struct {
	// Status is how the cache answered.
	Status Status
	// CachedAt is when the entry was made; zero when nothing was stored.
	CachedAt time.Time
	// ResetAt is when the entry ceases to be fresh; zero when nothing was
	// stored or the entry does not expire. For an entry that was invalidated
	// softly it is at latest the time of the lookup.
	ResetAt time.Time
}

// Age is how long ago the entry was made, and zero when there is none.
func (m Metadata) Age() time.Duration {
	if m.CachedAt.IsZero() {
		return 0
	}
	return time.Since(m.CachedAt)
}

// Event describes one thing that a cache did: it answered a request or call, or ran a
// background refresh or a rewarm. Fields may be added. Hooks run on the goroutine that
// did it, possibly concurrently, and should return quickly.
type Event struct {
	// Cache is the namespace of the cache.
	Cache string
	// Status is how the request was answered, and Refresh for a background run.
	Status Status
	// Route is the route pattern, empty for functions.
	Route string
	// Key is the full key, printable; empty when none could be built.
	Key string
	// Stored says whether the answer was stored: accepted for saving, if the store
	// saves in the background. Saves that fail later are reported to its OnError.
	Stored bool
	// Shared says whether the answer was computed by another request's run.
	Shared bool
	// Background says that the cache itself started the run, to refresh an entry or
	// to rewarm a result, and that it answered no request.
	Background bool
	// Reason says in a few words why the answer was not cached or not stored.
	Reason string
	// Err is the failure behind Reason, if there was one.
	Err error
}
