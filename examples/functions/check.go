package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
)

// A row is one request of the check and what must come back.
type row struct {
	request string // method, path and, after a blank, a form
	status  int
	cache   string // X-Cache-Status; "-" for none
	body    string // what the body must contain
	shows   string
}

// rows are sent in this order, to data as seeded.
var rows = []row{
	{"GET /admin/reports/1/2026-03", 404, "-", "", "nothing is cached yet"},
	{"GET /reports/1/2026-03", 200, "MISS", `"sales":1000`, "the function runs"},
	{"GET /reports/1/2026-03", 200, "HIT", `"sales":1000`, "and does not run again"},
	{"GET /reports/01/2026-03", 200, "HIT", `"sales":1000`, "the key is typed: 01 is 1"},
	{"GET /reports/1/2026-04", 200, "MISS", `"sales":1000`, "another month"},
	{"GET /reports/2/2026-03", 200, "MISS", `"sales":1000`, "another shop"},
	{"POST /sales shop=1&month=2026-03&cents=5000", 201, "-", `"Cents":5000`, "a committed sale"},
	{"GET /reports/1/2026-03", 200, "HIT", `"sales":1001,"cents":504600,"best":5000`, "has renewed its report"},
	{"GET /reports/1/2026-04", 200, "HIT", `"sales":1000`, "and no other month's"},
	{"GET /reports/2/2026-03", 200, "HIT", `"sales":1000`, "nor another shop's"},
	{"POST /sales shop=1&month=2026-03&cents=0", 422, "-", "", "a sale that is rolled back"},
	{"GET /reports/1/2026-03", 200, "HIT", `"sales":1001`, "renews nothing"},
	{"GET /admin/reports/1/2026-03", 200, "HIT", `"sales":1001`, "peek looks and does not run"},
	{"PUT /admin/reports/1/2026-03", 200, "REFRESH", `"sales":1001`, "refresh runs, whatever is cached"},
	{"DELETE /admin/reports/1/2026-03", 204, "-", "", "delete drops one report"},
	{"GET /admin/reports/1/2026-03", 404, "-", "", "and it is gone"},
	{"GET /reports/1/2026-04", 200, "HIT", `"sales":1000`, "the others are there"},
	{"DELETE /admin/reports/1", 204, "-", "", "invalidate drops a whole shop"},
	{"GET /reports/1/2026-04", 200, "MISS", `"sales":1000`, "all of its months"},
	{"GET /reports/2/2026-03", 200, "HIT", `"sales":1000`, "and no other shop"},
	{"GET /reports/x/2026-03", 400, "-", "", "no argument, no call"},
}

// check sends every row to the server at url, prints what came back, and fails if anything was
// not as it should be.
func check(ctx context.Context, url string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "REQUEST\tSTATUS\tCACHE\tSHOWS")
	wrong := 0
	for _, r := range rows {
		got, err := r.send(ctx, url)
		if err != nil {
			return errors.Join(table.Flush(), err)
		}
		shows := r.shows
		if fault := r.fault(got); fault != "" {
			wrong++
			shows = "WRONG: " + fault
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", r.request, got.status, got.cache, shows)
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
func (r *row) send(ctx context.Context, url string) (got row, err error) {
	method, rest, _ := strings.Cut(r.request, " ")
	path, form, _ := strings.Cut(rest, " ")
	req, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(form))
	if err != nil {
		return got, err
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	got = row{status: res.StatusCode, cache: res.Header.Get("X-Cache-Status"), body: string(body)}
	if got.cache == "" {
		got.cache = "-"
	}
	return got, err
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
