package peer

import (
	"net/http"
	"net/http/httptest"
	"strings"
)

// httpClient asks an http.Handler.
type httpClient struct {
	handler http.Handler
	request *http.Request
	writer  writer
}

func newHTTPClient(h http.Handler) *httpClient {
	return &httpClient{
		handler: h,
		request: httptest.NewRequest(http.MethodGet, URI(0), http.NoBody),
		writer:  writer{header: http.Header{}},
	}
}

func (c *httpClient) Aim(item int) {
	c.request.URL.Path = Path(item)
	c.request.URL.RawQuery = Query
	c.request.RequestURI = URI(item)
}

func (c *httpClient) Ask() {
	clear(c.writer.header)
	c.handler.ServeHTTP(&c.writer, c.request)
}

func (c *httpClient) Answer() Answer {
	c.writer.keep, c.writer.body, c.writer.status = true, c.writer.body[:0], http.StatusOK
	c.Ask()
	c.writer.keep = false
	a := Answer{Status: c.writer.status, Header: map[string]string{}, Body: string(c.writer.body)}
	for name, values := range c.writer.header {
		a.Header[name] = strings.Join(values, ", ")
	}
	return a
}

// writer is a client's end of the connection, used for one answer after another.
type writer struct {
	header http.Header
	status int
	body   []byte
	keep   bool // the body is wanted
}

func (w *writer) Header() http.Header    { return w.header }
func (w *writer) WriteHeader(status int) { w.status = status }

func (w *writer) Write(p []byte) (int, error) {
	if w.keep {
		w.body = append(w.body, p...)
	}
	return len(p), nil
}

// Flush is there since gin's writer takes it for granted.
func (w *writer) Flush() {}

// clients returns what Site.Client is for a handler.
func clients(h http.Handler) func() Client {
	return func() Client { return newHTTPClient(h) }
}
