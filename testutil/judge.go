package testutil

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/restflow-go/restflow"
)

// judge returns a line for each way in which res is not as the step wants it.
func (r *runner) judge(res Result) []string {
	s := r.step
	var faults []string
	fault := func(what string, got, want any) {
		faults = append(faults, fmt.Sprintf("%s: got %v, want %v", what, got, want))
	}
	if res.Event.Status != s.Want {
		fault("cache", cacheStatus(res), s.Want)
	}
	switch {
	case s.WantStatus != 0 && res.Status != s.WantStatus:
		fault("status", res.Status, s.WantStatus)
	case s.WantStatus == 0 && res.Status >= http.StatusInternalServerError:
		fault("status", res.Status, "no server error")
	}
	if got, want := strings.TrimSuffix(res.Body, "\n"), strings.TrimSuffix(s.WantBody, "\n"); s.WantBody != "" && got != want {
		fault("body", quote(got), quote(want))
	}
	for _, name := range slices.Sorted(maps.Keys(s.WantHeader)) {
		if got, want := strings.Join(res.Header.Values(name), ", "), s.WantHeader[name]; got != want {
			fault("header "+name, quote(got), quote(want))
		}
	}
	if s.WantReason != "" && res.Event.Reason != s.WantReason {
		fault("reason", quote(res.Event.Reason), quote(s.WantReason))
	}
	return faults
}

func cacheStatus(res Result) string {
	if !res.Cached {
		return "no cache"
	}
	return res.Event.Status.String()
}

// maxQuoted bounds how much of a body a failure shows.
const maxQuoted = 500

func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q and %d bytes more", s[:maxQuoted], len(s)-maxQuoted)
	}
	return fmt.Sprintf("%q", s)
}

// report is the text of a failure.
func (r *runner) report(res Result, faults []string) string {
	lines := append([]string{r.label + ": " + firstLine(r.step.Request)}, faults...)
	if res.Event.Key != "" {
		lines = append(lines, "key: "+res.Event.Key)
	}
	return strings.Join(append(lines, r.fate(res)), "\n\t")
}

// fate says in one line what the cache did, and why.
func (r *runner) fate(res Result) string {
	ev := res.Event
	switch {
	case r.rec == nil && !res.Cached:
		return "the answer has no X-Cache-Status; is the middleware on the route? Set SetCacheHeaders in the cache's config, or give Run a Recorder"
	case r.rec == nil:
		return "give Run a Recorder to learn the key and the reason"
	case !res.Cached:
		return "no cache told the recorder of the request; is the middleware on the route, and the recorder's OnEvent in the cache's config?"
	case ev.Status == restflow.Bypass:
		return "bypassed" + because(ev)
	case ev.Shared:
		return "answered by another request's run"
	case ev.Stored:
		return "stored" + because(ev)
	case ev.Status == restflow.Miss || ev.Status == restflow.Refresh:
		return "not stored" + because(ev)
	}
	return "answered from the cache" + because(ev)
}

func because(ev restflow.Event) string {
	switch {
	case ev.Reason == "" && ev.Err == nil:
		return ""
	case ev.Reason == "":
		return ": " + ev.Err.Error()
	case ev.Err == nil:
		return " because " + ev.Reason
	}
	return " because " + ev.Reason + ": " + ev.Err.Error()
}
