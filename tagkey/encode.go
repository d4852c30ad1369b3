package tagkey

import (
	"crypto/sha256"
	"strconv"
)

// Why different inputs give different keys.
//
// A key is
//
//		prefix   rf1|<namespace>|v<version>|
//		fields   <source>:<name>=<value>|        partition fields first
//		zeros    zero:<i>|                       after the partition fields, rarely
//		parts    <length>:<bytes>                what Key.Append adds
//
//	 1. Namespaces and names are escaped: no byte of theirs is one of | : = %,
//	    but for % before two hexadecimal digits. So the prefix and every label end
//	    where they seem to end, and two of them are equal only if what they were
//	    made from is. No source is called zero, and a label starts with a letter
//	    while a part starts with a digit. So the sequence of fields is known.
//	 2. A value says where it ends and what it is by its first byte:
//
//		absent   -
//		scalar   <length>:<bytes>                begins with a digit
//		list     [<count>;<element>...]          an element is any value
//		map      {<count>;<length>:<name><value>...}   names sorted, each once
//		hash     #<32 bytes>                     SHA-256 of the value as it would stand here
//
//	    Lengths and counts are decimal and end at the first byte that is no digit;
//	    the bytes themselves are never searched for a delimiter, so any bytes are
//	    safe in them. Reading from the left, each value is thus recovered exactly.
//	 3. A hash stands only for a present value that is not empty, so absent, empty
//	    and zero differ under it too; two hashes are equal only if SHA-256 collides.
//	 4. Within a scalar, the canonical text of a type is injective: decimal
//	    integers, shortest floats that parse to the same bits (but -0 is 0, and
//	    every NaN is NaN), instants in UTC to the nanosecond, strings as they are. A
//	    TextMarshaler answers for itself.
//
// What makes different inputs equal is what tags ask for (lower, sorted, ignore)
// and nothing else. A change of anything here needs another format.
const format = "rf1"

const (
	absent = '-'
	hashed = '#'
	endTag = '|'
)

// appendPrefix starts a key.
func appendPrefix(dst []byte, namespace string, version int) []byte {
	dst = append(dst, format+"|"...)
	dst = appendEscaped(dst, namespace)
	dst = append(dst, "|v"...)
	dst = strconv.AppendInt(dst, int64(version), 10)
	return append(dst, endTag)
}

// appendEscaped writes a namespace or a name so that it has none of the bytes
// that end one.
func appendEscaped(dst []byte, name string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(name) {
		if c := name[i]; plain(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func plain(c byte) bool {
	switch c {
	case '_', '-', '.', '*', '/', '[', ']', '$', '~':
		return true
	}
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// appendFramed writes a scalar whose text is known.
func appendFramed[T string | []byte](dst []byte, text T) []byte {
	dst = strconv.AppendInt(dst, int64(len(text)), 10)
	dst = append(dst, ':')
	return append(dst, text...)
}

// openFrame makes room for the length of a scalar whose text follows; closeFrame
// writes it. Most texts are shorter than ten bytes and need not move.
func openFrame(dst []byte) ([]byte, int) {
	return append(dst, '0', ':'), len(dst)
}

func closeFrame(dst []byte, frame int) []byte {
	text := frame + len("0:")
	n := len(dst) - text
	if n < 10 {
		dst[frame] = '0' + byte(n)
		return dst
	}
	var room [20]byte
	length := strconv.AppendInt(room[:0], int64(n), 10)
	more := len(length) - 1
	dst = append(dst, room[:more]...)
	copy(dst[text+more:], dst[text:text+n])
	copy(dst[frame:], length)
	dst[frame+len(length)] = ':'
	return dst
}

func openList(dst []byte, count int) []byte {
	dst = append(dst, '[')
	dst = strconv.AppendInt(dst, int64(count), 10)
	return append(dst, ';')
}

func openMap(dst []byte, count int) []byte {
	dst = append(dst, '{')
	dst = strconv.AppendInt(dst, int64(count), 10)
	return append(dst, ';')
}

// hashTail replaces the value that begins at from by its hash. Absent and empty
// values are as short and stay readable.
func hashTail(dst []byte, from int) []byte {
	switch string(dst[from:]) {
	case string(absent), "0:", "[0;]", "{0;}":
		return dst
	}
	sum := sha256.Sum256(dst[from:])
	dst = append(dst[:from], hashed)
	return append(dst, sum[:]...)
}
