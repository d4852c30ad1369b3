package testutil

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/restflow-go/restflow"
)

// statusHeader is how a cache with SetCacheHeaders tells what it did.
const statusHeader = "X-Cache-Status"

// Run carries out steps in order against h. The caches behind h report to rec; without
// a recorder (nil) Run reads the X-Cache-Status header instead, which they send if
// SetCacheHeaders is on, and failures have no keys and reasons.
//
// A step that fails does not end the run, since later ones often show why.
// A handler that panics fails its step.
func Run(t testing.TB, h http.Handler, rec *Recorder, steps []Step) {
	t.Helper()
	for i := range steps {
		r := runner{handler: h, rec: rec, step: &steps[i], label: label(i, &steps[i])}
		r.run(t)
	}
}

// label names a step in failures.
func label(i int, s *Step) string {
	if s.Name == "" {
		return fmt.Sprintf("step %d", i+1)
	}
	return fmt.Sprintf("step %d %q", i+1, s.Name)
}

// runner carries out one step.
type runner struct {
	handler http.Handler
	rec     *Recorder
	step    *Step
	label   string
}

func (r *runner) run(t testing.TB) {
	t.Helper()
	switch s := r.step; {
	case s.Do != nil && s.Request != "":
		t.Errorf("%s has both Do and Request; make two steps of it", r.label)
	case s.Do != nil:
		s.Do(t)
	case s.Request == "":
		t.Errorf("%s has neither Do nor Request", r.label)
	default:
		r.request(t)
	}
}

func (r *runner) request(t testing.TB) {
	t.Helper()
	c := new(call)
	req, err := parseRequest(context.WithValue(t.Context(), callKey{}, c), r.step.Request)
	if err != nil {
		t.Errorf("%s: Request %q: %v", r.label, r.step.Request, err)
		return
	}
	if r.step.As != nil {
		r.step.As(req)
	}
	w := httptest.NewRecorder()
	if p := serve(r.handler, w, req); p != nil {
		t.Errorf("%s: %s: the handler panicked: %v", r.label, firstLine(r.step.Request), p)
		return
	}
	res := r.result(w, c)
	if faults := r.judge(res); len(faults) > 0 {
		t.Errorf("%s", r.report(res, faults))
	}
	if r.step.Check != nil {
		r.step.Check(t, res)
	}
}

// serve returns what the handler panicked with, nil if it did not.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (p any) {
	defer func() { p = recover() }()
	h.ServeHTTP(w, r)
	return nil
}

func (r *runner) result(w *httptest.ResponseRecorder, c *call) Result {
	res := Result{Status: w.Code, Header: w.Result().Header, Body: w.Body.String()}
	if r.rec == nil {
		res.Event.Status, res.Cached = parseStatus(res.Header.Get(statusHeader))
		return res
	}
	if ev := c.answer(); ev != nil {
		res.Event, res.Cached = *ev, true
	}
	return res
}

// parseStatus reads a status as String writes it.
func parseStatus(s string) (restflow.Status, bool) {
	for st := restflow.Bypass; st <= restflow.Refresh; st++ {
		if st.String() == s {
			return st, true
		}
	}
	return restflow.Bypass, false
}
