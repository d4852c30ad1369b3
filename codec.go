package restflow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"
)

// An entry is stored as
//
//	"rf" version flags checksum(8) payload
//
// The checksum is the XXH3 (64 bits) of version, flags and payload, so that a value
// which was cut, mixed up or partly overwritten is found out before it is read.
// The payload is, in order: created, expires, stale-until and delta (8 bytes each), the
// status, the epochs, the tags, the key, the entity tag, the header fields, and
// last the body, which runs to the end and is decoded in place. Numbers are
// unsigned varints, fixed ones little-endian; strings carry their length.
//
// A change of this format takes a new version: older entries become misses.
const (
	codecVersion      = 1
	codecHead         = 12
	flagS2       byte = 1
)

// inflated bounds what a compressed body of n bytes may hold, so that a few
// hostile bytes cannot make a reader allocate gigabytes. A body that compresses
// better than that is stored as it is, unless it is small.
func inflated(n int) int { return int(min(1<<20+int64(n)<<10, math.MaxInt)) }

// errEncoding is the cause of every failure to decode a stored entry.
var errEncoding = errors.New("not an entry")

// appendEntry appends e's encoding to dst. Bodies of at least compress bytes are
// compressed with S2 when that makes them smaller; zero means never.
func appendEntry(dst []byte, e *Entry, compress int) []byte {
	at := len(dst)
	var flags byte
	body := e.Body
	if compress > 0 && len(body) >= compress {
		if c := s2.Encode(nil, body); len(c) < len(body) && len(body) <= inflated(len(c)) {
			flags, body = flagS2, c
		}
	}
	dst = slices.Grow(dst, e.size()-len(e.Body)+len(body)) // more than it takes
	dst = append(dst, 'r', 'f', codecVersion, flags)
	dst = append(dst, make([]byte, 8)...)
	for _, v := range [...]int64{e.Created, e.Expires, e.StaleUntil, e.Delta} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	dst = binary.AppendUvarint(dst, uint64(e.Status))
	dst = binary.AppendUvarint(dst, uint64(len(e.Epochs)))
	for _, ep := range e.Epochs {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(ep))
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Tags)))
	for _, t := range e.Tags {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(t.Scope))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(t.Epoch))
	}
	dst = appendString(dst, e.Key)
	dst = appendString(dst, e.ETag)
	dst = appendFields(dst, e.Header)
	dst = append(dst, body...)
	binary.LittleEndian.PutUint64(dst[at+4:], checksum(dst[at:]))
	return dst
}

func appendFields(dst []byte, fields []Field) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(fields)))
	for i := range fields {
		dst = append(dst, byte(fields[i].Op))
		dst = appendString(dst, fields[i].Name)
		dst = binary.AppendUvarint(dst, uint64(len(fields[i].Values)))
		for _, v := range fields[i].Values {
			dst = appendString(dst, v)
		}
	}
	return dst
}

func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// checksum covers an encoded entry except the checksum itself. Version and
// flags go in as a second factor of the sum over the payload.
func checksum(raw []byte) uint64 {
	head := uint64(raw[2])<<8 | uint64(raw[3])
	return xxh3.Hash(raw[codecHead:]) ^ (head+1)*0x9e3779b97f4a7c15
}

// decodeEntry reads what appendEntry wrote. The entry keeps raw, which must not
// change afterwards. It returns an error wrapping errEncoding for anything else,
// and never panics or allocates more than the input justifies.
func decodeEntry(raw []byte) (*Entry, error) {
	if len(raw) < codecHead || raw[0] != 'r' || raw[1] != 'f' {
		return nil, fmt.Errorf("%w: no head", errEncoding)
	}
	if raw[2] != codecVersion || raw[3]&^flagS2 != 0 {
		return nil, fmt.Errorf("%w: version %d, flags %#x", errEncoding, raw[2], raw[3])
	}
	if binary.LittleEndian.Uint64(raw[4:]) != checksum(raw) {
		return nil, fmt.Errorf("%w: checksum differs", errEncoding)
	}
	r := reader{buf: raw[codecHead:]}
	d := new(decoded)
	e := &d.Entry
	e.Created, e.Expires = int64(r.fixed()), int64(r.fixed())
	e.StaleUntil, e.Delta = int64(r.fixed()), int64(r.fixed())
	e.Status = int(r.uvarint(math.MaxInt32))
	for range r.count(MaxScopes, 8) {
		if e.Epochs == nil {
			e.Epochs = e.epochs[:0]
		}
		e.Epochs = append(e.Epochs, Epoch(r.fixed()))
	}
	if n := r.count(MaxTags, 16); n > 0 {
		e.Tags = make([]Tag, n)
		for i := range e.Tags {
			e.Tags[i] = Tag{Scope(r.fixed()), Epoch(r.fixed())}
		}
	}
	e.Key = r.bytes()
	e.ETag = string(r.bytes())
	e.Header = r.fields(d)
	if r.bad {
		return nil, fmt.Errorf("%w: cut short", errEncoding)
	}
	e.Body = r.buf
	if raw[3]&flagS2 != 0 {
		if err := e.decompress(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// decoded is an entry with room for the header fields that most have.
type decoded struct {
	Entry
	fields [4]Field
	lines  [4]string
}

func (e *Entry) decompress() error {
	if n, err := s2.DecodedLen(e.Body); err != nil || n > inflated(len(e.Body)) {
		return fmt.Errorf("%w: compressed body", errEncoding)
	}
	body, err := s2.Decode(nil, e.Body)
	if err != nil {
		return fmt.Errorf("%w: compressed body", errEncoding)
	}
	e.Body = body
	return nil
}

// reader walks an encoded payload. After the first thing that does not fit, bad
// is set and everything else reads as zero.
type reader struct {
	buf []byte
	bad bool
}

func (r *reader) fixed() uint64 {
	if len(r.buf) < 8 {
		r.bad, r.buf = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.buf)
	r.buf = r.buf[8:]
	return v
}

func (r *reader) uvarint(limit uint64) uint64 {
	if len(r.buf) > 0 && r.buf[0] < 0x80 && uint64(r.buf[0]) <= limit { // nearly always
		v := r.buf[0]
		r.buf = r.buf[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.buf)
	if n <= 0 || v > limit {
		r.bad, r.buf = true, nil
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// count reads how many items of at least size bytes follow. It never exceeds
// what the rest of the input could hold.
func (r *reader) count(limit, size int) int {
	n := int(r.uvarint(uint64(limit)))
	if n*size > len(r.buf) {
		r.bad, r.buf = true, nil
		return 0
	}
	return n
}

func (r *reader) bytes() []byte {
	n := r.count(math.MaxInt32, 1)
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

// fields reads header fields, into the room of d if they fit. Their texts are copied, in
// one piece, so that who keeps one does not keep the body.
func (r *reader) fields(d *decoded) []Field {
	n := r.count(1<<16, 3)
	if n == 0 {
		return nil
	}
	from, values := r.buf, 0
	end := *r
	for range n {
		end.op()
		end.bytes()
		for range end.values(&values) {
			end.bytes()
		}
	}
	if end.bad {
		*r = end
		return nil
	}
	all := string(from[:len(from)-len(end.buf)])
	text := func() string {
		n := len(r.bytes())
		to := len(from) - len(r.buf)
		return all[to-n : to]
	}
	fields, lines := d.fields[:min(n, len(d.fields))], d.lines[:min(values, len(d.lines))]
	if n > len(fields) {
		fields = make([]Field, n)
	}
	if values > len(lines) {
		lines = make([]string, values)
	}
	for i := range fields {
		f := &fields[i]
		f.Op, f.Name = r.op(), text()
		if n := r.values(new(int)); n > 0 {
			f.Values, lines = lines[:n:n], lines[n:]
		}
		for j := range f.Values {
			f.Values[j] = text()
		}
	}
	return fields
}

func (r *reader) op() Op {
	if len(r.buf) == 0 || Op(r.buf[0]) > DelField {
		r.bad, r.buf = true, nil
		return 0
	}
	op := Op(r.buf[0])
	r.buf = r.buf[1:]
	return op
}

// values reads how many values follow, and adds them to sum.
func (r *reader) values(sum *int) int {
	n := r.count(1<<16, 1)
	*sum += n
	return n
}
