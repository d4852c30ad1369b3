package tagkey

import (
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"sync"
)

// BuildRequest fills k with the key of a request. An error is a [*ValueError]:
// the request has a value that no key can be made of, and must not be answered
// from a cache.
func (p *Plan) BuildRequest(k *Key, r *Request) error {
	k.Reset()
	if r == nil || r.HTTP == nil {
		return &ValueError{Err: because(ErrAbsent, "the request is nil")}
	}
	dst := append(k.buf, p.prefix...)
	for i := range p.steps {
		from := len(dst)
		var err error
		if dst, err = p.steps[i].appendRequest(k, dst, r, i); err != nil {
			k.fail(dst)
			return err
		}
		dst = k.finish(p, i, dst, from)
	}
	k.buf = dst
	return nil
}

// BuildValue fills k with the key of a value: v is a K or a *K, where K is the
// plan's type. Give a pointer where speed matters. An error is a [*ValueError].
func (p *Plan) BuildValue(k *Key, v any) error {
	k.Reset()
	value, err := p.valueOf(v)
	if err != nil {
		return err
	}
	dst := append(k.buf, p.prefix...)
	for i := range p.steps {
		from := len(dst)
		if dst, err = p.steps[i].appendValue(k, dst, value); err != nil {
			k.fail(dst)
			return err
		}
		dst = k.finish(p, i, dst, from)
	}
	k.buf = dst
	return nil
}

// AppendRequestValues appends what the plan's request fields have in r, so that a
// caller can tell whether two requests that are alike in path, query, headers and
// cookies have the same key. k is room to work in, and empty afterwards. On error
// dst is returned as it was; a build would fail as well.
func (p *Plan) AppendRequestValues(dst []byte, k *Key, r *Request) ([]byte, error) {
	k.Reset()
	out := dst
	for i := range p.steps {
		s := &p.steps[i]
		if s.Source != sourceRequest {
			continue
		}
		err := s.gather(k, r)
		if err == nil {
			out, err = s.form.gathered(k, out)
		}
		if err != nil {
			k.Reset()
			return dst, s.fail(err)
		}
	}
	k.Reset()
	return out, nil
}

// AppendKey appends the key of a request to dst. On error dst is returned as it was.
func (p *Plan) AppendKey(dst []byte, r *Request) ([]byte, error) {
	k := keys.Get().(*Key)
	defer keys.Put(k)
	err := p.BuildRequest(k, r)
	return append(dst, k.buf...), err
}

// AppendValueKey appends the key of a value to dst; see [Plan.BuildValue]. On
// error dst is returned as it was.
func (p *Plan) AppendValueKey(dst []byte, v any) ([]byte, error) {
	k := keys.Get().(*Key)
	defer keys.Put(k)
	err := p.BuildValue(k, v)
	return append(dst, k.buf...), err
}

// AppendPartition appends the encoded bytes of the i-th partition field of a
// value: what [Key.Partition] returns for it. The other fields are not looked
// at. On error dst is returned as it was.
func (p *Plan) AppendPartition(dst []byte, i int, v any) ([]byte, error) {
	if i < 0 || i >= p.parts {
		return dst, &ValueError{Err: because(ErrType, "%s has no partition %d", p.namespace, i)}
	}
	value, err := p.valueOf(v)
	if err != nil {
		return dst, err
	}
	k := keys.Get().(*Key)
	defer keys.Put(k)
	k.Reset()
	if k.buf, err = p.steps[i].appendValue(k, k.buf, value); err != nil {
		return dst, err
	}
	return append(dst, k.buf...), nil
}

// Unfiltered returns what [Key.Partition] returns for the i-th partition field of
// requests that do not filter by it: that leave it out, or send it empty, as forms do.
// There are none unless the field is one parameter of the query or path: what else is
// absent says who asks, or how, and not for more than is there.
func (p *Plan) Unfiltered(i int) [][]byte {
	if i < 0 || i >= p.parts {
		return nil
	}
	s := &p.steps[i]
	if s.Source != sourceQuery && s.Source != sourcePath || s.SourceName == everything {
		return nil
	}
	left := append(bytes.Clone(s.label), absent)
	empty, err := s.emptied(i)
	if err != nil || bytes.Equal(empty, left) { // no number is empty, and an optional field tells no difference
		return [][]byte{left}
	}
	return [][]byte{left, empty}
}

// emptied is the field of a request that sends it empty; i is the step's place.
func (s *step) emptied(i int) (field []byte, err error) {
	defer catch(&err)
	r := &Request{
		HTTP:       &http.Request{URL: &url.URL{RawQuery: url.QueryEscape(s.SourceName) + "="}},
		ParamNames: []string{s.SourceName}, ParamValues: []string{""},
	}
	return s.appendRequest(new(Key), nil, r, i)
}

// keys are those of the convenience methods. One that a huge request has blown
// up is kept by the pool no longer than till the next garbage collection.
var keys = sync.Pool{New: func() any { return new(Key) }}

// valueOf finds the K in a K or a *K.
func (p *Plan) valueOf(v any) (reflect.Value, error) {
	value := reflect.ValueOf(v)
	if !value.IsValid() {
		return value, &ValueError{Err: because(ErrType, "got nil, want %s or *%[1]s", p.typ)}
	}
	switch value.Type() {
	case p.typ:
		return value, nil
	case p.pointer:
		if value.IsNil() {
			return value, &ValueError{Err: because(ErrType, "got a nil %s", p.pointer)}
		}
		return value.Elem(), nil
	}
	return value, &ValueError{Err: because(ErrType, "got %s, want %s or *%[2]s", value.Type(), p.typ)}
}

// fail empties the key and keeps the memory that it has grown into.
func (k *Key) fail(dst []byte) {
	k.buf = dst
	k.Reset()
}

// finish notes that field i of the plan stands from from to the end of dst, and
// ends it.
func (k *Key) finish(p *Plan, i int, dst []byte, from int) []byte {
	if s := &p.steps[i]; dst[from+len(s.label)] == absent && s.static == nil && k.zeros&(1<<i) == 0 {
		k.absent = append(k.absent, i)
	}
	k.fields = i + 1
	dst = append(dst, endTag)
	if i >= p.parts {
		return dst
	}
	if i == 0 {
		k.block.from = from
	}
	k.parts[i] = span{from, len(dst) - 1}
	k.nparts, k.block.to = i+1, len(dst)
	if i == p.parts-1 && k.zeros != 0 {
		return k.appendZeros(dst)
	}
	return dst
}

// appendZeros tells explicit zeros in partitions from absent ones, whose
// partition they share. See step.zero.
func (k *Key) appendZeros(dst []byte) []byte {
	for i := range k.nparts {
		if k.zeros&(1<<i) != 0 {
			dst = append(dst, "zero:"...)
			dst = strconv.AppendInt(dst, int64(i), 10)
			dst = append(dst, endTag)
		}
	}
	return dst
}
