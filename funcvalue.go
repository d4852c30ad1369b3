package restflow

import (
	"errors"
	"fmt"
	"reflect"
)

// results turns results of a function into entries and back. A nil result is a
// value like any other: it has an entry, and no entry is a miss.
type results[V any] struct {
	codec Codec
	kept  bool // the store keeps values as they are
	clone func(V) V
	weigh func(V) int
}

func newResults[V any](cfg *FuncConfig[V]) (results[V], error) {
	r := results[V]{codec: cfg.Codec, kept: cfg.Store.Decoded(), clone: cfg.Clone, weigh: cfg.Weigh}
	if r.codec == nil {
		r.codec = JSON
		if !r.kept {
			return r, checkResult(reflect.TypeFor[V]())
		}
	}
	return r, nil
}

// pack puts v into e.
func (r *results[V]) pack(e *Entry, v V) (err error) {
	if !r.kept {
		e.Body, err = encode(r.codec, v)
		return err
	}
	if r.clone != nil {
		v = r.clone(v)
	}
	e.Value = &v // a pointer, since a nil interface in an any has lost its type
	if r.weigh != nil {
		e.Cost = r.weigh(v)
	} else {
		e.Cost = weight(reflect.ValueOf(&v).Elem())
	}
	return nil
}

// errForeign is why an entry of another type of value does not answer.
var errForeign = errors.New("restflow: the entry holds a value of another type")

// unpack returns what e holds, or why it holds no V.
func (r *results[V]) unpack(e *Entry) (v V, err error) {
	if !r.kept {
		return r.decode(e.Body)
	}
	p, ok := e.Value.(*V)
	if !ok {
		return v, errForeign
	}
	if r.clone != nil {
		return r.clone(*p), nil
	}
	return *p, nil
}

func (r *results[V]) decode(body []byte) (V, error) {
	var v, zero V
	if err := decode(r.codec, body, &v); err != nil {
		return zero, fmt.Errorf("restflow: a stored %T does not decode: %w", &zero, err)
	}
	return v, nil
}
