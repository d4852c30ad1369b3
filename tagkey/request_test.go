package tagkey_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// contextValues is a context such as Echo's.
type contextValues map[string]any

func (c contextValues) Get(key string) any { return c[key] }

// get is a GET request; edits add to it.
func get(target string, edits ...func(*tagkey.Request)) *tagkey.Request {
	r := &tagkey.Request{HTTP: httptest.NewRequest(http.MethodGet, "/", nil)}
	r.HTTP.URL.RawQuery = target // as is: NewRequest would refuse what a client can send
	for _, edit := range edits {
		edit(r)
	}
	return r
}

func withPath(namesAndValues ...string) func(*tagkey.Request) {
	return func(r *tagkey.Request) {
		for i := 0; i < len(namesAndValues); i += 2 {
			r.ParamNames = append(r.ParamNames, namesAndValues[i])
			r.ParamValues = append(r.ParamValues, namesAndValues[i+1])
		}
	}
}

func withHeader(name string, lines ...string) func(*tagkey.Request) {
	return func(r *tagkey.Request) { r.HTTP.Header[name] = lines }
}

func withValue(key string, value any) func(*tagkey.Request) {
	return func(r *tagkey.Request) {
		if r.Values == nil {
			r.Values = contextValues{}
		}
		r.Values.(contextValues)[key] = value
	}
}

// requestKey is the key of a request, which must have one.
func requestKey(t testing.TB, p *tagkey.Plan, r *tagkey.Request) string {
	t.Helper()
	key, err := p.AppendKey(nil, r)
	require.NoError(t, err)
	return string(key)
}

// valueKey is the key of a value, which must have one.
func valueKey(t testing.TB, p *tagkey.Plan, v any) string {
	t.Helper()
	key, err := p.AppendValueKey(nil, v)
	require.NoError(t, err)
	return string(key)
}
