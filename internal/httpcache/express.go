package httpcache

import (
	"net/http"

	"github.com/restflow-go/restflow"
)

// Express answers a GET from a memory store, if its key is remembered and leads to a fresh
// entry. It reports whether it did; if not, it has not touched the response, and Serve
// answers. It does what Serve would, but on the stack: filling in and resetting an exchange
// took a fifth of a hit, and more during a garbage collection, when each pointer that is
// written costs extra.
func (e *Engine) Express(v *Visit) bool {
	r := v.Request.HTTP
	if !e.express || r.Method != http.MethodGet || refuseRequest(r) != "" {
		return false
	}
	if e.cfg.HonorRequestDirectives && (len(r.Header["Cache-Control"]) > 0 || len(r.Header["Pragma"]) > 0) {
		return false
	}
	early := len(e.identity.values) == 0 // no key covers a credential by a value
	if early && e.identity.refuse(v, false) != "" {
		return false
	}
	k := e.recall(v)
	if k == nil {
		return false
	}
	entry, now := e.store.Standing(k)
	if entry == nil || e.inside(r.Context(), k.Key.Bytes) || !early && e.identity.refuse(v, k.Note) != "" {
		return false
	}
	unchanged := v.open(entry, now)
	if e.announces() {
		e.announce(v.Writer.Header(), entry.Metadata(restflow.Hit), outcome{hit: true})
	}
	v.send(entry, unchanged)
	e.emit(v, &k.Key, restflow.Event{Status: restflow.Hit})
	return true
}

// expressLimit is how many bytes of texts there is room for on the stack.
const expressLimit = 240

// recall returns the key of v if it is remembered. It looks for long ones only if the key
// has request values, whose texts are not gathered on the stack.
func (e *Engine) recall(v *Visit) *restflow.Known {
	if !e.memo.values {
		var room [expressLimit + memoFrame]byte
		return e.store.Recall(e.memo.texts(room[:0], v, expressLimit))
	}
	d := drafts.Get().(*draft)
	defer drafts.Put(d)
	d.texts = e.gather(d.texts, &d.key, v)
	return e.store.Recall(d.texts)
}
