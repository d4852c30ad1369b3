package httpcache

import (
	"net/http"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/lifetime"
)

// freshness is what a response says of its life (RFC 9111, 4.2).
type freshness struct {
	age  time.Duration // how old it was when it was recorded
	life limit         // how long it is fresh in all, if it says so
}

// freshness reads a response, or says why it is not fresh any more. d are the
// directives of its Cache-Control.
func (r *response) freshness(d *directives) (f freshness, why string) {
	why = "Cache-Control: max-age=0"
	switch {
	case d.sMaxAge.set:
		f.life = d.sMaxAge
	case d.maxAge.set:
		f.life = d.maxAge
	default:
		if at, lines := r.date("Expires"); len(lines) > 0 { // no date is one in the past (5.3)
			f.life, why = limit{at.Sub(r.made()), true}, "Expires: "+lines[0]
		}
	}
	if f.life.set && f.life.Duration <= 0 {
		return f, why
	}
	if f.age, why = r.age(); why != "" {
		return f, why
	}
	if f.life.set && f.age >= f.life.Duration {
		return f, "the response is " + f.age.String() + " old, and fresh for " + f.life.String()
	}
	return f, ""
}

// left is how long after it was recorded a response stays fresh: ttl, or less if
// it allows less. Zero means for ever, for ttl and for the result.
func (f freshness) left(ttl time.Duration) time.Duration {
	left := f.life.Duration - f.age
	if f.life.set && (ttl == 0 || left < ttl) {
		return left
	}
	return ttl
}

// age is how old the response was when it was recorded (RFC 9111, 4.2.3): more
// than nothing if the handler has it from another cache. An Age that is not one
// number tells that it is old, but not how old: it is refused, where the RFC would
// have a cache ignore it (5.1).
func (r *response) age() (age time.Duration, why string) {
	if lines := r.values(headerAge); len(lines) > 0 {
		d, ok := seconds(strings.TrimSpace(lines[0]))
		if !ok || len(lines) > 1 {
			return 0, "Age: " + strings.Join(lines, ", ") + ", which is no number of seconds"
		}
		age = d + r.ended.Sub(r.began)
	}
	// Dates are whole seconds.
	return max(age, r.ended.Truncate(time.Second).Sub(r.made())), ""
}

// made is the Date of the response, or when it was recorded.
func (r *response) made() time.Time {
	if at, _ := r.date("Date"); !at.IsZero() {
		return at
	}
	return r.ended
}

// date reads a field of one date. The time is zero if it holds anything else.
func (r *response) date(name string) (at time.Time, lines []string) {
	lines = r.values(name)
	if len(lines) == 1 {
		at, _ = http.ParseTime(lines[0])
	}
	return at, lines
}

// windows are how long past its end a response may answer: while it is made anew,
// and in place of a failure. The response can allow less than the config, or
// nothing (RFC 9111, 4.2.4); s-maxage says what proxy-revalidate says (5.2.2.10).
func (e *Engine) windows(d *directives) (revalidate, failure time.Duration) {
	if d.mustRevalidate || d.sMaxAge.set {
		return 0, 0
	}
	return d.staleWhileRevalidate.within(min(e.cfg.StaleWhileRevalidate, lifetime.Longest)), d.staleIfError.within(min(e.cfg.StaleIfError, lifetime.Longest))
}

// revalidates reports whether an entry may answer past its end while it is made anew.
func (e *Engine) revalidates(entry *restflow.Entry, now int64) bool {
	if e.cfg.StaleWhileRevalidate == 0 {
		return false
	}
	r := response{fields: entry.Header}
	d := parseCacheControl(r.values("Cache-Control"))
	window, _ := e.windows(&d)
	return entry.Within(now, window)
}
