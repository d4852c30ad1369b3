package testutil

import (
	"net/http"
	"testing"

	"github.com/restflow-go/restflow"
)

// Step is one row of a table for [Run]: either a request and what is expected of
// its answer, or something to do between requests.
type Step struct {
	// Name tells the step from others in failures. Optional.
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

	// As makes it somebody's request. Default: nobody's.
	As Identity

	// Do changes data, moves the clock, breaks a server. Excludes Request.
	Do func(t testing.TB)

	// Want is how the cache has to answer. The zero value, restflow.Bypass, is
	// right also for a route that no cache is on.
	Want restflow.Status

	// WantStatus is the HTTP status of the answer. Default 0: any that is not
	// a server error (5xx).
	WantStatus int

	// WantBody is the whole body; a newline at the end of either does not
	// count. Default "": any.
	WantBody string

	// WantHeader holds fields by name; "" means that the answer has none of
	// that name, and several values are joined by ", ". Default: any.
	WantHeader map[string]string

	// WantReason is the reason of the cache's event. Default "": any.
	WantReason string

	// Check looks at whatever the other fields do not cover. It runs last.
	Check func(t testing.TB, got Result)
}

// Result is what came of a request.
type Result struct {
	// Event is what the response cache told; its zero value if none did.
	Event restflow.Event
	// Cached says whether a cache told anything.
	Cached bool
	// Status, Header and Body are those of the answer.
	Status int
	Header http.Header
	Body   string
}
