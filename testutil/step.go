package testutil

import (
	"net/http"
	"testing"

	"github.com/restflow-go/restflow"
)

// Step is one row of a table for [Run]: either a request and the expected response, or
// something to do between requests.
type Step struct {
	// Name identifies the step in failures. Optional.
	Name string

	// Request is "METHOD target", for example "GET /users/1?full=1". Header
	// lines may follow, and after an empty line a body:
	//
	//	POST /users
	//	Content-Type: application/json
	//
	//	{"name": "Ada"}
	//
	// The host is example.com unless a Host line or an absolute target says
	// otherwise; an https target makes it a request over TLS.
	Request string

	// As sends the request as some user. Default: without credentials.
	As Identity

	// Do changes data, moves the clock, breaks a server. Excludes Request.
	Do func(t testing.TB)

	// Want is how the cache has to answer. The zero value, restflow.Bypass, is also
	// right for a route without a cache.
	Want restflow.Status

	// WantStatus is the HTTP status of the answer. Default 0: any that is not
	// a server error (5xx).
	WantStatus int

	// WantBody is the whole body; a newline at the end of either is ignored.
	// Default "": any.
	WantBody string

	// WantHeader holds fields by name; "" means that the answer has none of
	// that name, and several values are joined by ", ". Default: any.
	WantHeader map[string]string

	// WantReason is the reason of the cache's event. Default "": any.
	WantReason string

	// Check checks anything that the other fields do not cover. It runs last.
	Check func(t testing.TB, got Result)
}

// Result is the result of a request.
type Result struct {
	// Event is the response cache's event; its zero value if there was none.
	Event restflow.Event
	// Cached says whether a cache sent an event.
	Cached bool
	// Status, Header and Body are those of the answer.
	Status int
	Header http.Header
	Body   string
}
