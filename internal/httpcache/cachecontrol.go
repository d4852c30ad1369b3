package httpcache

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/restflow-go/restflow/internal/lifetime"
)

// directives is what the policy needs of a Cache-Control field (RFC 9111, 5.2,
// and RFC 5861).
type directives struct {
	noStore, noCache, private          bool
	onlyIfCached                       bool
	mustRevalidate, mustUnderstand     bool
	maxAge, sMaxAge, minFresh          limit
	staleWhileRevalidate, staleIfError limit
	garbled                            bool // it cannot be parsed
}

// limit is a directive's number of seconds, if the directive is there.
type limit struct {
	time.Duration
	set bool
}

// parseCacheControl reads all lines of the field. Of a directive given twice, or
// an argument that is no number, the stricter reading counts (RFC 9111, 4.2.1).
func parseCacheControl(lines []string) directives {
	var d directives
	for _, line := range lines {
		for line != "" {
			part, rest, open := cutDirective(line)
			d.garbled = d.garbled || open
			d.add(part)
			line = rest
		}
	}
	return d
}

// cutDirective takes one directive off a list. A comma inside quotes ends none.
func cutDirective(s string) (part, rest string, open bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			open = !open
		case s[i] == '\\' && open:
			i++
		case s[i] == ',' && !open:
			return s[:i], s[i+1:], false
		}
	}
	return s, "", open
}

func (d *directives) add(part string) {
	name, arg, _ := strings.Cut(strings.TrimSpace(part), "=")
	name, arg = strings.TrimSpace(name), strings.TrimSpace(arg)
	if !isToken(name) || !isToken(arg) && !isQuoted(arg) {
		d.garbled = true // as where semicolons part directives
	}
	switch strings.ToLower(name) {
	case "no-store":
		d.noStore = true
	case "no-cache":
		d.noCache = true
	case "private":
		d.private = true
	case "only-if-cached":
		d.onlyIfCached = true
	case "must-revalidate", "proxy-revalidate":
		d.mustRevalidate = true
	case "must-understand":
		d.mustUnderstand = true
	case "max-age":
		d.maxAge.tighten(arg)
	case "s-maxage":
		d.sMaxAge.tighten(arg)
	case "min-fresh":
		d.minFresh.tighten(arg)
	case "stale-while-revalidate":
		d.staleWhileRevalidate.tighten(arg)
	case "stale-if-error":
		d.staleIfError.tighten(arg)
	}
}

// isToken reports whether s has only characters of tokens (RFC 9110, 5.6.2), if any.
func isToken(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isQuoted reports whether s is one quoted string (RFC 9110, 5.6.4).
func isQuoted(s string) bool {
	for i := 1; i < len(s) && s[0] == '"'; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i == len(s)-1
		}
	}
	return false
}

// tighten reads a number of seconds. What is none means no time at all.
func (l *limit) tighten(arg string) {
	d, ok := seconds(strings.Trim(arg, `"`))
	if !ok {
		d = 0
	}
	if l.set {
		d = min(d, l.Duration)
	}
	l.Duration, l.set = d, true
}

// within returns the shorter of d and the limit.
func (l limit) within(d time.Duration) time.Duration {
	if l.set {
		return min(d, l.Duration)
	}
	return d
}

// seconds reads delta-seconds.
func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return time.Duration(min(n, uint64(lifetime.Longest/time.Second))) * time.Second, true
}
