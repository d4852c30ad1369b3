package tagkey

import (
	"net/textproto"
	"strconv"
	"strings"
)

// checkHeader brings a header's name into its canonical form.
func (t *tag) checkHeader() *flaw {
	if !isToken(t.name) {
		return &flaw{strconv.Quote(t.name) + " is no header name", nameMends[sourceHeader]}
	}
	t.name = textproto.CanonicalMIMEHeaderKey(t.name)
	if t.name == "Host" {
		return &flaw{"net/http keeps Host out of the headers", `write "request,host"`}
	}
	return nil
}

// isToken reports whether name is a token of RFC 9110, section 5.6.2: the form
// of header names and cookie names.
func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}
