package httpcache

import (
	"net/http"
	"time"

	"github.com/restflow-go/restflow"
)

// directed follows the Cache-Control of the request (RFC 9111, 5.2.1), when the
// config says so. It answers the request if the client will not have the entry.
func (e *Engine) directed(x *Exchange, entry *restflow.Entry) (done bool, err error) {
	h := x.Request.HTTP.Header
	lines := h["Cache-Control"]
	if len(lines) == 0 {
		if parseCacheControl(h["Pragma"]).noCache { // RFC 9111, 5.4
			return true, e.refresh(x)
		}
		return false, nil
	}
	d := parseCacheControl(lines)
	switch {
	case d.noStore:
		return true, e.bypass(x, "the request says no-store", nil)
	case d.onlyIfCached:
		return e.onlyIfCached(x, entry, &d)
	case d.noCache:
		return true, e.refresh(x)
	case entry != nil && !x.suits(entry, &d):
		return true, e.refresh(x)
	}
	return false, nil
}

// onlyIfCached answers from a fresh entry that is young enough, or not at all.
func (e *Engine) onlyIfCached(x *Exchange, entry *restflow.Entry, d *directives) (bool, error) {
	if entry != nil && entry != x.snap.Soft && entry.Fresh(time.Now().UnixNano()) && x.suits(entry, d) {
		return false, nil
	}
	const why = "the request says only-if-cached"
	e.answer(x, restflow.Miss, nil, outcome{fwd: "uri-miss", detail: why})
	e.tell(x, restflow.Event{Reason: why})
	x.Writer.WriteHeader(http.StatusGatewayTimeout)
	return true, nil
}

// suits reports whether the entry is as young, and stays fresh for as long, as the
// client will have it. Who says either will have nothing stale (RFC 9111, 5.2.1).
func (x *Exchange) suits(entry *restflow.Entry, d *directives) bool {
	if !d.maxAge.set && !d.minFresh.set {
		return true
	}
	if entry == x.snap.Soft {
		return false
	}
	now := time.Now().UnixNano()
	young := !d.maxAge.set || now-entry.Created <= int64(d.maxAge.Duration)
	return young && entry.Fresh(now+int64(d.minFresh.Duration))
}
