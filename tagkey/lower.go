package tagkey

import (
	"unicode"
	"unicode/utf8"
)

// appendText appends text, in lower case if so asked.
func appendText[T string | []byte](dst []byte, text T, lower bool) []byte {
	if !lower {
		return append(dst, text...)
	}
	from := len(dst)
	dst = append(dst, text...)
	for i, c := range dst[from:] {
		if c >= utf8.RuneSelf {
			return appendLowerUnicode(dst[:from], []byte(text))
		}
		if 'A' <= c && c <= 'Z' {
			dst[from+i] = c + 'a' - 'A'
		}
	}
	return dst
}

// appendLowerUnicode does what strings.ToLower does, except that it keeps
// invalid bytes: replacing them would make different values equal.
func appendLowerUnicode(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, text[0])
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		text = text[size:]
	}
	return dst
}
