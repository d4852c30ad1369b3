package echocache_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// serve starts a real server that logs nothing.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// serve2 starts a real server that speaks HTTP/2.
func serve2(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// client follows no redirect, adds no header and keeps no connection.
var client = &http.Client{
	Transport: &http.Transport{
		DisableCompression: true, DisableKeepAlives: true,
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of tests
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// reply is a response that was read to its end.
type reply struct {
	Proto, Status string
	Header        http.Header
	Trailer       http.Header
	ContentLength int64
	Transfer      []string
	Body          string
	Broken        bool // the body ended early, or there was no response at all
}

// cache returns the cache status.
func (r reply) cache() string { return r.Header.Get("X-Cache-Status") }

// fetch sends a request to a real server.
func fetch(t testing.TB, method, url string, headers ...string) reply {
	t.Helper()
	return fetchBody(t, method, url, "", headers...)
}

func fetchBody(t testing.TB, method, url, body string, headers ...string) reply {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, from)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		return reply{Broken: true}
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	return reply{
		Proto: res.Proto, Status: res.Status, Header: res.Header, Trailer: res.Trailer,
		ContentLength: res.ContentLength, Transfer: res.TransferEncoding,
		Body: b.String(), Broken: err != nil,
	}
}
