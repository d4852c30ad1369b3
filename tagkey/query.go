package tagkey

import "bytes"

const (
	// MaxQueryBytes is how long a raw query string may be for a plan with query fields.
	MaxQueryBytes = 64 << 10
	// MaxQueryParams is how many parameters it may have.
	MaxQueryParams = 1000
)

// parseQuery splits the raw query string into k.query, once a build. For what
// url.ParseQuery accepts the result is the same; what it refuses is refused.
//
// The raw text is copied into the arena and unescaped in place, which never
// makes it longer.
func (k *Key) parseQuery(raw string) error {
	if k.parsed {
		return nil
	}
	if len(raw) > MaxQueryBytes {
		return because(ErrTooLarge, "the query string has %d bytes, and %d are allowed", len(raw), MaxQueryBytes)
	}
	all := k.keep(raw)
	for from := all.from; from < all.to; {
		to := all.to
		if n := bytes.IndexByte(k.arena[from:to], '&'); n >= 0 {
			to = from + n
		}
		if err := k.parsePair(span{from, to}); err != nil {
			return err
		}
		from = to + 1
	}
	k.parsed = true
	return nil
}

func (k *Key) parsePair(s span) error {
	text := k.text(s)
	if len(text) == 0 {
		return nil
	}
	if len(k.query) == MaxQueryParams {
		return because(ErrTooLarge, "the query string has more than %d parameters", MaxQueryParams)
	}
	if bytes.IndexByte(text, ';') >= 0 {
		return because(ErrSyntax, "the query string has a semicolon")
	}
	name, value := s, span{s.to, s.to}
	if n := bytes.IndexByte(text, '='); n >= 0 {
		name.to, value.from = s.from+n, s.from+n+1
	}
	var nameOK, valueOK bool
	name.to, nameOK = k.unescape(name)
	value.to, valueOK = k.unescape(value)
	if !nameOK || !valueOK {
		return because(ErrSyntax, "the query string has a malformed escape")
	}
	k.query = append(k.query, pair{name, value, len(k.query)})
	return nil
}

// unescape decodes in place and returns the new end.
func (k *Key) unescape(s span) (int, bool) {
	to := s.from
	for from := s.from; from < s.to; from++ {
		c := k.arena[from]
		switch c {
		case '+':
			c = ' '
		case '%':
			if from+2 >= s.to {
				return to, false
			}
			high, low := unhex(k.arena[from+1]), unhex(k.arena[from+2])
			if high|low > 15 {
				return to, false
			}
			c = high<<4 | low
			from += 2
		}
		k.arena[to] = c
		to++
	}
	return to, true
}

// unhex returns the value of a hexadecimal digit, or 255.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
