package httpcache

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/restflow-go/restflow"
)

// Control lets a handler decide about the response that it is making. A nil
// Control, which a handler gets when nothing is being recorded, does nothing. It
// is safe for concurrent use.
type Control struct {
	store *restflow.Store

	mu     sync.Mutex
	ttl    time.Duration
	hasTTL bool
	reason string // why the response must not be stored, whatever its TTL; empty if it may
	tags   []restflow.Tag
}

// SetTTL sets how long the response stays fresh, instead of the cache's TTL and of the
// time that its Cache-Control allows. Zero or less means that it is not stored. The
// last call counts.
func (c *Control) SetTTL(d time.Duration) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ttl, c.hasTTL = d, true
}

// NoStore keeps the response from being stored. The event carries the reason.
func (c *Control) NoStore(reason string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason = reason; reason == "" {
		c.reason = "the handler asked for it"
	}
}

// Tag puts the response into the groups of tags, which InvalidateTags drops. Call
// it before the data that the tags stand for is read: a change after the call
// finds the response, a change before it does not matter. On an error the
// response is not stored. Entries with tags cost one more round trip on a hit in
// a shared store; more than restflow.MaxTags of them share coarse groups.
func (c *Control) Tag(ctx context.Context, tags ...string) error {
	if c == nil || len(tags) == 0 {
		return nil
	}
	scopes := make([]restflow.Scope, 0, len(tags)+1)
	scopes = append(scopes, restflow.AnyTag)
	for _, t := range tags {
		scopes = append(scopes, restflow.TagScope(t))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	scopes = slices.DeleteFunc(scopes, c.tagged)
	if room := restflow.MaxTags - 1 - len(c.tags); len(scopes) > room {
		// The coarse group stands for all that do not fit; those that were
		// there keep their own epochs, which are older.
		scopes = slices.DeleteFunc(append(scopes[:max(room, 0)], restflow.ManyTags), c.tagged)
	}
	if len(scopes) == 0 {
		return nil
	}
	epochs := make([]restflow.Epoch, len(scopes))
	if err := c.store.Epochs(ctx, scopes, epochs, true); err != nil {
		c.reason = "a tag's epoch could not be read"
		return err
	}
	for i, s := range scopes {
		c.tags = append(c.tags, restflow.Tag{Scope: s, Epoch: epochs[i]})
	}
	return nil
}

func (c *Control) tagged(s restflow.Scope) bool {
	return slices.ContainsFunc(c.tags, func(t restflow.Tag) bool { return t.Scope == s })
}

// verdict is what the handler has decided.
type verdict struct {
	ttl    time.Duration
	hasTTL bool
	reason string // why the response must not be stored; empty if it may
	tags   []restflow.Tag
}

// verdict asks once the handler has run. A goroutine that it left behind may still
// be deciding.
func (c *Control) verdict() verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := verdict{c.ttl, c.hasTTL, c.reason, slices.Clip(c.tags)}
	if v.reason == "" && v.hasTTL && v.ttl <= 0 {
		v.reason = "the handler set a TTL of " + v.ttl.String()
	}
	return v
}

// ControlOf finds the control of the response that is being recorded behind w,
// below any writers that inner middleware put on top, or else in the context of the
// request, where one of them cannot be looked through. It is nil if there is none.
func ControlOf(ctx context.Context, w http.ResponseWriter) *Control {
	for {
		if r, ok := w.(*recorder); ok {
			return &r.control
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	if in, ok := ctx.Value(enclosingKey{}).(*enclosing); ok {
		return in.control
	}
	return nil
}
