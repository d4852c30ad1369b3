package tagkey

import "slices"

// MaxPartitions is how many fields of a key struct may be flagged partition.
// Each costs an epoch in every entry and in every load.
const MaxPartitions = 6

// Key is the result of a build and the memory that the next build reuses. The
// zero value is ready to use. Bytes that it hands out are valid until the next
// Build, Append or Reset. A Key must not be used by two goroutines at once.
type Key struct {
	buf    []byte
	fields int                 // so many are in buf
	absent []int               // those of them that had no value
	parts  [MaxPartitions]span // of buf, by partition
	nparts int
	block  span  // of buf: all partitions
	zeros  uint8 // partitions that hold an explicit zero, see step.zero

	// What follows belongs to one build. Texts are copied into the arena and
	// named by spans, since the arena moves when it grows.
	arena   []byte
	texts   []span // the values that the source of the current field has
	hasList bool   // the source has a list, even if texts is empty
	pairs   []pair // the parameters that the source of a "*" field has
	query   []pair // the parsed query string, in its order
	parsed  bool   // query is valid
}

// span is a half-open range of bytes. A negative from stands for an absent element.
type span struct{ from, to int }

// pair is a parameter: its name and one value, both in the arena. The place
// among its like keeps sorting stable.
type pair struct {
	name, value span
	place       int
}

// Bytes returns the full key.
func (k *Key) Bytes() []byte { return k.buf }

// String returns the key in a form that can be printed, that of [Printable].
func (k *Key) String() string { return Printable(k.buf) }

// Printable returns the bytes of a key in a form that can be printed: a byte that is no
// printable ASCII is written as \xff, and a backslash as two.
func Printable(key []byte) string {
	const digits = "0123456789abcdef"
	text := make([]byte, 0, len(key))
	for _, c := range key {
		switch {
		case c == '\\':
			text = append(text, `\\`...)
		case ' ' <= c && c <= '~':
			text = append(text, c)
		default:
			text = append(text, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return string(text)
}

// Partition returns the encoded bytes of the i-th partition field, with its
// "source:name=" label and without the namespace. It is what
// [Plan.AppendPartition] builds from a value. It is nil when there is no such
// partition.
func (k *Key) Partition(i int) []byte {
	if i < 0 || i >= k.nparts {
		return nil
	}
	return k.buf[k.parts[i].from:k.parts[i].to:k.parts[i].to]
}

// Partitions returns the bytes of all partition fields, which stand together
// before all others.
func (k *Key) Partitions() []byte {
	return k.buf[k.block.from:k.block.to:k.block.to]
}

// Present reports whether field i of [Plan.Fields] had a value, be it empty or zero.
func (k *Key) Present(i int) bool {
	return i >= 0 && i < k.fields && !slices.Contains(k.absent, i)
}

// Append adds a part of the caller's own after the fields, with its length, so
// that no two sequences of appended parts give the same key.
func (k *Key) Append(part []byte) { k.buf = appendFramed(k.buf, part) }

// AppendString is [Key.Append] for a string.
func (k *Key) AppendString(part string) { k.buf = appendFramed(k.buf, part) }

// Reset empties the key and keeps its memory. Every Build resets first, and a
// failed one leaves the key empty.
func (k *Key) Reset() {
	k.buf, k.fields, k.absent = k.buf[:0], 0, k.absent[:0]
	k.nparts, k.block, k.zeros = 0, span{}, 0
	k.arena, k.query, k.parsed = k.arena[:0], k.query[:0], false
}

// keep copies text into the arena.
func (k *Key) keep(text string) span {
	from := len(k.arena)
	k.arena = append(k.arena, text...)
	return span{from, len(k.arena)}
}

// text returns bytes of the arena. They stay intact when the arena moves.
func (k *Key) text(s span) []byte { return k.arena[s.from:s.to] }
