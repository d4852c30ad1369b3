package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

func TestCheckPassesInMemory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), options{check: true}, &out), out.String())
	require.Contains(t, out.String(), "All 22 requests were answered as they should be.")
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
		_, _ = io.WriteString(w, `{"id":1}`)
	}))
	defer server.Close()
	var out bytes.Buffer
	err := check(t.Context(), server.URL, &out)
	require.EqualError(t, err, "20 of 22 requests were not answered as they should be")
	require.Contains(t, out.String(), "WRONG: the cache should say MISS\n")
	require.Contains(t, out.String(), "WRONG: the status should be 409\n")
	require.Contains(t, out.String(), `WRONG: the body "{\"id\":1}" should contain "\"email\":\"ada@"`)
}

func TestCheckFailsWhenNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	require.ErrorContains(t, check(t.Context(), server.URL, io.Discard), "connection refused")
}

// The README shows some of the rows, without their times.
func TestReadmeShowsRowsOfTheCheck(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var printed []string
	for _, r := range rows {
		printed = append(printed, strings.Join([]string{r.request, r.as, strconv.Itoa(r.status), r.cache, r.shows}, " "))
	}
	_, table, found := strings.Cut(string(readme), "\nREQUEST ")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "```")
	for _, line := range strings.Split(strings.TrimSpace(table), "\n")[1:] {
		require.Contains(t, printed, strings.Join(strings.Fields(line), " "))
	}
}

// The check would fail the second time, since the first one has changed the data.
func TestCheckWantsNewData(t *testing.T) {
	err := run(t.Context(), options{check: true, db: filepath.Join(t.TempDir(), "shop.db")}, io.Discard)
	require.EqualError(t, err, "-check needs data as seeded, and the file of -db may have other; leave -db out")
}

func TestNoRedisIsSaidAtOnce(t *testing.T) {
	err := run(t.Context(), options{redis: "127.0.0.1:1"}, io.Discard)
	require.ErrorContains(t, err, "no Redis answers at 127.0.0.1:1: ")
}

// Two processes, one Redis and one database: a change made through one of them
// drops what the other has stored.
func TestProcessesShareTheCache(t *testing.T) {
	server, file := redistest.Start(t), filepath.Join(t.TempDir(), "shop.db")
	a, b := serve(t, server.Addr(), file), serve(t, server.Addr(), file)
	for _, step := range []struct {
		url string
		row row
	}{
		{a, row{request: "GET /users/1", as: "ada", status: 200, cache: "MISS", body: "Ada"}},
		{b, row{request: "GET /users/1", as: "ada", status: 200, cache: "HIT", body: "Ada"}},
		{b, row{request: "PATCH /users/1 name=Lovelace", as: "ada", status: 200, cache: "BYPASS"}},
		{a, row{request: "GET /users/1", as: "ada", status: 200, cache: "MISS", body: "Lovelace"}},
	} {
		// Hosts have entries of their own; the two are one host behind a balancer.
		got, _, err := step.row.send(t.Context(), step.url)
		require.NoError(t, err)
		require.Empty(t, step.row.fault(got), "%s", step.row.request)
	}
}

// serve is one process of the quickstart, known to its clients as shop.example.
func serve(t *testing.T, redisAddr, file string) (url string) {
	t.Helper()
	store, err := openStore(t.Context(), redisAddr)
	require.NoError(t, err)
	api, err := newAPI(store, file)
	require.NoError(t, err)
	e := api.echo()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "shop.example"
		e.ServeHTTP(w, r)
		_ = store.Flush(r.Context()) // so that the other process has it before the client asks there
	}))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, api.close())
		require.NoError(t, store.Close())
	})
	return server.URL
}

// The server ends with its context, and says first what to try.
func TestServesUntilItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hints := &hintWriter{cancel: cancel}
	require.NoError(t, run(ctx, options{addr: "127.0.0.1:0"}, hints))
	require.Equal(t, 3, strings.Count(hints.String(), "curl -i "))
	require.Contains(t, hints.String(), "with the cache in memory")
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
