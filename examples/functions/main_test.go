package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

func TestCheckPassesInMemory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), options{check: true}, &out), out.String())
	require.Contains(t, out.String(), "All 21 requests were answered as they should be.")
}

// Twice on one Redis: what the first run left there is about other data.
func TestCheckPassesOnRedis(t *testing.T) {
	server := redistest.Start(t)
	for range 2 {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), options{check: true, redis: server.Addr()}, &out), out.String())
	}
}

func TestCheckFailsWhenAnAnswerIsOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Cache-Status", "HIT")
		_, _ = io.WriteString(w, `{"sales":1000}`)
	}))
	defer server.Close()
	var out bytes.Buffer
	err := check(t.Context(), server.URL, &out)
	require.EqualError(t, err, "15 of 21 requests were not answered as they should be")
	require.Contains(t, out.String(), "WRONG: the cache should say MISS\n")
	require.Contains(t, out.String(), "WRONG: the status should be 422\n")
	require.Contains(t, out.String(), `WRONG: the body "{\"sales\":1000}" should contain "\"sales\":1001"`)
}

func TestCheckFailsWhenNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	require.ErrorContains(t, check(t.Context(), server.URL, io.Discard), "connection refused")
}

func TestNoRedisIsSaidAtOnce(t *testing.T) {
	err := run(t.Context(), options{redis: "127.0.0.1:1"}, io.Discard)
	require.ErrorContains(t, err, "no Redis answers at 127.0.0.1:1: ")
}

// The server ends with its context, and says first what to try.
func TestServesUntilItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hints := &hintWriter{cancel: cancel}
	require.NoError(t, run(ctx, options{addr: "127.0.0.1:0"}, hints))
	require.Equal(t, 5, strings.Count(hints.String(), "  curl "))
	require.Contains(t, hints.String(), "with results in memory")
}

// hintWriter ends the server as soon as it has printed something.
type hintWriter struct {
	bytes.Buffer
	cancel context.CancelFunc
}

func (w *hintWriter) Write(p []byte) (int, error) {
	w.cancel()
	return w.Buffer.Write(p)
}
