package lifetime

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Default is the TTL of a cache that names none.
const Default = time.Hour

// Longest stands for all that is longer (RFC 9111, 1.2.2): 68 years, so that what
// adds up two of them still fits Unix nanoseconds, which end in 2262.
const Longest = (1 << 31) * time.Second

// Lifetime is how long the entries of a cache answer. It is copied from a
// cache's Config, whose fields have these names.
type Lifetime struct {
	TTL          time.Duration
	NoExpiration bool
	Jitter       float64
}

// Normalize fills in the default and returns the faults, each an error that
// begins with prefix ("echocache: Config.") and ends with its fix.
func (l *Lifetime) Normalize(prefix string) []error {
	var errs []error
	if err := Check(prefix+"TTL", l.TTL, fmt.Sprintf("%v, or set NoExpiration", Default)); err != nil {
		errs = append(errs, err)
	}
	if l.TTL > 0 && l.NoExpiration {
		errs = append(errs, fmt.Errorf("%sTTL: %v and NoExpiration exclude each other; remove one", prefix, l.TTL))
	}
	if !(l.Jitter >= 0 && l.Jitter < 1) { // NaN is not within either
		errs = append(errs, fmt.Errorf("%sJitter: %v is not at least 0 and below 1; it is the share of the TTL that may be cut off", prefix, l.Jitter))
	}
	if l.TTL == 0 && !l.NoExpiration {
		l.TTL = Default
	}
	return errs
}

// Check refuses a duration that is negative or, if it is not 0, less than a millisecond,
// as one is that was given as a number alone. zero says what 0 is for.
func Check(name string, d time.Duration, zero string) error {
	switch {
	case d < 0:
		return fmt.Errorf("%s: %v is negative; leave it 0 for %s", name, d, zero)
	case 0 < d && d < time.Millisecond:
		return fmt.Errorf("%s: %v is less than a millisecond; a number alone counts nanoseconds, write %d * time.Second for seconds", name, d, int64(d))
	}
	return nil
}

// Expires draws when an entry made now expires, in Unix nanoseconds: after ttl,
// which is the cache's or what an answer allows, and at most Longest, less the
// jitter. A ttl of zero means never, and so does the result.
func (l *Lifetime) Expires(now time.Time, ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	ttl = min(ttl, Longest)
	if l.Jitter > 0 {
		ttl -= time.Duration(l.Jitter * rand.Float64() * float64(ttl)) //nolint:gosec // not a secret
	}
	return now.Add(ttl).UnixNano()
}
