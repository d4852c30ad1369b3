package tagkey

import (
	"reflect"
	"strconv"
	"sync"
)

// BuildRequest fills k with the key of a request. An error is a [*ValueError]:
// the request has a value that no key can be made of, and must not be answered
// from a cache.
func (p *Plan) BuildRequest(k *Key, r *Request) error {
	k.start(p)
	if r == nil || r.HTTP == nil {
		k.Reset()
		return &ValueError{Err: because(ErrAbsent, "the request is nil")}
	}
	for i := range p.steps {
		if err := p.steps[i].appendRequest(k, r); err != nil {
			k.Reset()
			return err
		}
		k.finish(p, i)
	}
	return nil
}

// BuildValue fills k with the key of a value: v is a K or a *K, where K is the
// plan's type. Give a pointer where speed matters. An error is a [*ValueError].
func (p *Plan) BuildValue(k *Key, v any) error {
	k.start(p)
	value, err := p.valueOf(v)
	if err != nil {
		k.Reset()
		return err
	}
	for i := range p.steps {
		if err := p.steps[i].appendValue(k, value); err != nil {
			k.Reset()
			return err
		}
		k.finish(p, i)
	}
	return nil
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
	if err := p.steps[i].appendValue(k, value); err != nil {
		return dst, err
	}
	return append(dst, k.buf...), nil
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
	if value.Type() == p.typ {
		return value, nil
	}
	if value.Kind() != reflect.Pointer || value.Type().Elem() != p.typ {
		return value, &ValueError{Err: because(ErrType, "got %s, want %s or *%[2]s", value.Type(), p.typ)}
	}
	if value.IsNil() {
		return value, &ValueError{Err: because(ErrType, "got a nil %s", value.Type())}
	}
	return value.Elem(), nil
}

func (k *Key) start(p *Plan) {
	k.Reset()
	k.buf = append(k.buf, p.prefix...)
	k.block = span{len(k.buf), len(k.buf)}
}

// finish notes where field i of the plan stands.
func (k *Key) finish(p *Plan, i int) {
	end := len(k.buf)
	k.buf = append(k.buf, endTag)
	if i >= p.parts {
		return
	}
	from := k.block.to
	k.parts[i] = span{from, end}
	k.nparts, k.block.to = i+1, len(k.buf)
	if i == p.parts-1 && k.zeros != 0 {
		k.appendZeros()
	}
}

// appendZeros tells explicit zeros in partitions from absent ones, whose
// partition they share. See step.zero.
func (k *Key) appendZeros() {
	for i := range k.nparts {
		if k.zeros&(1<<i) != 0 {
			k.buf = append(k.buf, "zero:"...)
			k.buf = strconv.AppendInt(k.buf, int64(i), 10)
			k.buf = append(k.buf, endTag)
		}
	}
}
