package testutil_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/testutil"
)

// fakeTB keeps what would have failed a test.
type fakeTB struct {
	testing.TB
	failures []string
}

type fatal struct{}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(fatal{})
}

// failures runs f with a fake and returns what it reported.
func failures(t *testing.T, f func(t testing.TB)) []string {
	t.Helper()
	fake := &fakeTB{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != (fatal{}) {
				panic(p)
			}
		}()
		f(fake)
	}()
	return fake.failures
}

// told answers 200 "body" with a header, after it has told the recorder of events.
func told(rec *testutil.Recorder, events ...restflow.Event) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-One", "1")
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		fmt.Fprintln(w, "body")
		for _, ev := range events {
			rec.OnEvent(context.WithoutCancel(r.Context()), ev)
		}
	})
}

var errDown = errors.New("connection refused")
