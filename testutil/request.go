package testutil

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// remoteAddr is the client's address in all requests, from the block that RFC
// 5737 reserves for documentation.
const remoteAddr = "192.0.2.1:1234"

var errNoTarget = errors.New(`want "METHOD target", then header lines, an empty line and the body, all but the first optional`)

// parseRequest makes a request of text: "METHOD target", header lines, and after
// an empty line the body. White space around lines of the head means nothing, so
// that a raw string can be indented.
func parseRequest(ctx context.Context, text string) (*http.Request, error) {
	head, body, _ := strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	first := strings.Fields(lines[0])
	if len(first) != 2 {
		return nil, errNoTarget
	}
	var wire strings.Builder
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\n", first[0], first[1])
	host := "Host: example.com\r\n"
	for _, l := range lines[1:] {
		l = strings.TrimSpace(l)
		if name, _, _ := strings.Cut(l, ":"); strings.EqualFold(name, "Host") {
			host = ""
		}
		wire.WriteString(l + "\r\n")
	}
	wire.WriteString(host + "\r\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		return nil, err
	}
	return withBody(r.WithContext(ctx), body), nil
}

// withBody finishes a request as a server would hand it to a handler.
func withBody(r *http.Request, body string) *http.Request {
	r.RemoteAddr = remoteAddr
	if r.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: r.Host}
	}
	r.Body = http.NoBody
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	return r
}

// firstLine is the request as failures name it.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.Join(strings.Fields(line), " ")
}
