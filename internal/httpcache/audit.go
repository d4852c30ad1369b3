package httpcache

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"

	"github.com/restflow-go/restflow"
)

// audit runs the handler again for a response that was just stored, without the
// inputs that the plan does not declare, and reports those that make a
// difference: a key that lacks them would let requests share a response that they
// should not share. It is for development; handlers run many times.
func (e *Engine) audit(x *Exchange) {
	r := x.Request.HTTP
	rerun := func(drop func(input) bool) uint64 { return e.fingerprint(x, without(r, drop)) }
	none := func(input) bool { return false }
	whole := rerun(none)
	if whole != rerun(none) || whole == rerun(e.seal.seals) {
		return // it differs by itself, or not at all
	}
	for _, in := range inputs(r) {
		if !e.seal.seals(in) || rerun(func(other input) bool { return other == in }) == whole {
			continue
		}
		if _, before := e.warned.LoadOrStore(x.Route+" "+in.String(), struct{}{}); before {
			continue
		}
		e.cfg.Logger.Warn("restflow: undeclared input", "cache", e.cfg.Plan.Namespace(), "route", x.Route, "input", in.String(),
			"fix", "add a field for it to the key struct, or do not let the response depend on it")
		e.tell(x, restflow.Event{Reason: "the response depends on " + in.String() + ", which the key does not hold"})
	}
}

// fingerprint runs the handler for r in a context of its own and returns a hash
// of what it answers.
func (e *Engine) fingerprint(x *Exchange, r *http.Request) uint64 {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), e.cfg.FillTimeout)
	defer cancel()
	rec := newRecorder(&nobody{http.Header{}}, e.cfg.MaxBodyBytes, e.store)
	ctx, leave := e.enclose(ctx, x, &rec.control)
	defer leave()
	h, _ := x.Handler.Background(r.WithContext(ctx))
	var out maphash.Hash
	out.SetSeed(e.memo.seed)
	if err := attempt(h, rec); err != nil {
		_, _ = out.WriteString(err.Error())
	}
	names := make([]string, 0, len(rec.header))
	for name := range rec.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		maphash.WriteComparable(&out, name)
		for _, v := range rec.header[name] {
			maphash.WriteComparable(&out, v)
		}
	}
	maphash.WriteComparable(&out, rec.status)
	_, _ = out.Write(rec.body)
	return out.Sum64()
}

// attempt runs the handler. It may well panic without an input, or without a value of
// the context that the key does not read, which is no reason for the request to fail.
func attempt(h Handler, rec *recorder) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return h.Run(nil, rec)
}
