package httpcache

import (
	"net/http"
	"sync"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// Express answers a GET whose key is remembered with the fresh entry that the key leads
// to in a memory store, and reports whether it did. It does what Serve would, but on the
// stack: filling in and resetting an exchange took a fifth of a hit, and more while
// garbage is collected, since each pointer that is written then costs. What it leaves to
// Serve it has not touched.
func (e *Engine) Express(v *Visit) bool {
	r := v.Request.HTTP
	if !e.express || r.Method != http.MethodGet || refuseRequest(r) != "" {
		return false
	}
	if e.cfg.HonorRequestDirectives && (len(r.Header["Cache-Control"]) > 0 || len(r.Header["Pragma"]) > 0) {
		return false
	}
	k := e.recall(v)
	if k == nil {
		return false
	}
	entry, now := e.store.Standing(k)
	if entry == nil || e.inside(r.Context(), k.Key.Bytes) || e.identity.refuse(v, k.Note) != "" {
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

// expressLimit is how many bytes of texts find room on the stack.
const expressLimit = 240

// recall returns the key of v if it is remembered and short.
func (e *Engine) recall(v *Visit) *restflow.Known {
	var room [expressLimit + memoFrame]byte
	texts := e.memo.texts(room[:0], v, expressLimit)
	if len(texts) == 0 {
		return nil
	}
	if !e.memo.values {
		return e.store.Recall(texts)
	}
	d := drafts.Get().(*draft)
	defer drafts.Put(d)
	var err error
	if d.texts, err = e.cfg.Plan.AppendRequestValues(append(d.texts[:0], texts...), &d.key, &v.Request); err != nil {
		return nil
	}
	return e.store.Recall(d.texts)
}

// A draft is what looking up the values of request fields takes.
type draft struct {
	key   tagkey.Key
	texts []byte
}

var drafts = sync.Pool{New: func() any { return new(draft) }}
