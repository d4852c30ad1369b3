package httpcache

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomHeader draws a header of few names and values, so that they meet.
func randomHeader(r *rand.Rand) http.Header {
	h := http.Header{}
	for range r.IntN(5) {
		name := string(rune('A' + r.IntN(4)))
		for range r.IntN(4) {
			h[name] = append(h[name], fmt.Sprint(r.IntN(3)))
		}
	}
	return h
}

// meddle does to h what handlers do.
func meddle(r *rand.Rand, h http.Header) {
	for range r.IntN(6) {
		name := string(rune('A' + r.IntN(4)))
		value := fmt.Sprint(r.IntN(3))
		switch r.IntN(7) {
		case 0:
			h.Set(name, value)
		case 1:
			h.Add(name, value)
		case 2:
			h.Del(name)
		case 3:
			if len(h[name]) > 0 {
				h[name][r.IntN(len(h[name]))] = value
			}
		case 4:
			h[name] = nil
		case 5:
			h[name] = slices.Insert(h[name], 0, value)
		case 6:
			h[name] = slices.Clone(h[name])
		}
	}
}

// Recorded changes, made to what outer middleware had set, give what the handler
// left: else a miss and a hit would answer differently.
func TestChangesMakeTheHandlersHeaderOfTheOuterOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		outer := randomHeader(r)
		before := outer.Clone()
		rec := newRecorder(&nobody{outer}, 100, nil)
		meddle(r, rec.Header())
		want := rec.Header().Clone()
		rec.WriteHeader(http.StatusOK)
		meddle(r, rec.Header()) // too late

		require.Equal(t, before, outer, "outer middleware's own header is untouched while the handler runs")
		apply(rec.fields, outer)
		// nil and empty values mean the same: the field is not sent.
		require.Equal(t, flat(want), flat(outer), "outer %v", before)
	}
}

func flat(h http.Header) map[string]string {
	m := map[string]string{}
	for k, v := range h {
		m[k] = fmt.Sprint(len(v), v)
	}
	return m
}

func TestRecorderHoldsBackUntilReleased(t *testing.T) {
	w := httptest.NewRecorder()
	rec := newRecorder(w, 100, nil)
	rec.Header().Set("X-A", "1")
	n, err := rec.Write([]byte("hello"))
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.True(t, rec.held())
	require.Empty(t, w.Header())
	require.Empty(t, w.Body.String())
	rec.release()
	require.Equal(t, "hello", w.Body.String())
	require.Equal(t, "1", w.Header().Get("X-A"))
	rec.release()
	require.Equal(t, "hello", w.Body.String(), "once")
}

func TestRecorderTellsOnceWhyItPasses(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*recorder)
		want string
	}{
		"flush":        {func(r *recorder) { r.Flush() }, "the response is streamed"},
		"limit":        {func(r *recorder) { _, _ = r.Write(make([]byte, 101)) }, "the body exceeds MaxBodyBytes"},
		"unwrap":       {func(r *recorder) { r.Unwrap() }, "the handler reached for the writer below"},
		"trailers":     {func(r *recorder) { r.Header().Set("Trailer", "X"); r.WriteHeader(http.StatusOK) }, "the response has trailers"},
		"long":         {func(r *recorder) { r.Header().Set("Content-Length", "1"); _, _ = r.Write([]byte("ab")) }, "Content-Length is 1, but the body is longer"},
		"no content":   {func(r *recorder) { r.WriteHeader(http.StatusNoContent); _, _ = r.Write([]byte("ab")) }, "a response of status 204 has no body"},
		"not modified": {func(r *recorder) { r.WriteHeader(http.StatusNotModified); _, _ = r.Write([]byte("ab")) }, "a response of status 304 has no body"},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			w := httptest.NewRecorder()
			rec := newRecorder(w, 100, nil)
			rec.onPass = func(why string) { told = append(told, why) }
			c.do(rec)
			rec.Flush()
			_, _ = rec.Write([]byte("more"))
			rec.Unwrap()
			require.Equal(t, []string{c.want}, told)
			require.False(t, rec.held())
		})
	}
}

func TestRecorderTakesEmptyWritesForNothing(t *testing.T) {
	rec := newRecorder(httptest.NewRecorder(), 0, nil)
	rec.WriteHeader(http.StatusNoContent)
	n, err := rec.Write(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.True(t, rec.held())
}
