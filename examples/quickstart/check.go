package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
)

// A row is one request of the check and what must come back.
type row struct {
	request string // method, path and, after a blank, a form
	as      string
	status  int
	cache   string // X-Cache-Status; "-" for none
	body    string // what the body must contain
	shows   string
}

// rows are sent in this order, to data as seeded.
var rows = []row{
	{"GET /users/1", "ada", 200, "MISS", `"email":"ada@`, "the handler runs"},
	{"GET /users/1", "ada", 200, "HIT", `"email":"ada@`, "and does not run again"},
	{"GET /users/01", "ada", 200, "HIT", `"id":1`, "a typed key: 01 is 1"},
	{"GET /users/1?v=2", "ada", 200, "MISS", `"id":1`, "the query is part of the key"},
	{"HEAD /users/1", "ada", 200, "HIT", "", "HEAD is answered from GET's entry"},
	{"GET /users/1", "bob", 200, "MISS", `"name":"Ada","orders"`, "another user never gets ada's page"},
	{"GET /users/1", "bob", 200, "HIT", `"name":"Ada","orders"`, "but has one too"},
	{"GET /users/2", "ada", 200, "MISS", `"name":"Bob"`, "another item"},
	{"PATCH /users/1 name=Lovelace", "ada", 200, "BYPASS", "Lovelace", "a committed save"},
	{"GET /users/1", "ada", 200, "MISS", "Lovelace", "drops the item's entries"},
	{"GET /users/1", "bob", 200, "MISS", "Lovelace", "whoever they were for"},
	{"GET /users/2", "ada", 200, "HIT", `"name":"Bob"`, "and no others"},
	{"PATCH /users/1 name=Bob", "ada", 409, "BYPASS", "", "a save that is rolled back"},
	{"GET /users/1", "ada", 200, "HIT", "Lovelace", "drops nothing"},
	{"POST /users/1/seen", "ada", 204, "BYPASS", "", "a column that no rule watches"},
	{"GET /users/1", "ada", 200, "HIT", "Lovelace", "drops nothing either"},
	{"POST /users/1/orders cents=5", "ada", 201, "BYPASS", "", "a row of another table"},
	{"GET /users/1", "ada", 200, "MISS", `"orders":2001`, "that the page sums up"},
	{"GET /users/x", "ada", 400, "BYPASS", "", "no key: the handler answers"},
	{"GET /users/9", "ada", 404, "MISS", "", "an error is not stored"},
	{"GET /users/9", "ada", 404, "MISS", "", "so it misses again"},
	{"GET /users/1", "nobody", 401, "-", "", "authentication stands before the cache"},
}

// check sends every row to the server at url, prints what came back, and fails if anything was
// not as it should be.
func check(ctx context.Context, url string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "REQUEST\tAS\tSTATUS\tCACHE\tTIME\tSHOWS")
	wrong := 0
	for _, r := range rows {
		got, took, err := r.send(ctx, url)
		if err != nil {
			return errors.Join(table.Flush(), err)
		}
		shows := r.shows
		if fault := r.fault(got); fault != "" {
			wrong++
			shows = "WRONG: " + fault
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n",
			r.request, r.as, got.status, got.cache, took.Round(10*time.Microsecond), shows)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d requests were not answered as they should be", wrong, len(rows))
	}
	_, err := fmt.Fprintf(out, "\nAll %d requests were answered as they should be.\n", len(rows))
	return err
}

// send sends the row's request. Of the row that it returns only the answer is set.
func (r *row) send(ctx context.Context, url string) (got row, took time.Duration, err error) {
	method, rest, _ := strings.Cut(r.request, " ")
	path, form, _ := strings.Cut(rest, " ")
	req, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(form))
	if err != nil {
		return got, 0, err
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Authorization", "Bearer "+r.as)
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return got, 0, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	took = time.Since(began)
	got = row{status: res.StatusCode, cache: res.Header.Get("X-Cache-Status"), body: string(body)}
	if got.cache == "" {
		got.cache = "-"
	}
	return got, took, err
}

// fault says how an answer differs from what the row wants.
func (r *row) fault(got row) string {
	switch {
	case got.status != r.status:
		return fmt.Sprintf("the status should be %d", r.status)
	case got.cache != r.cache:
		return "the cache should say " + r.cache
	case !strings.Contains(got.body, r.body):
		return fmt.Sprintf("the body %q should contain %q", got.body, r.body)
	}
	return ""
}
