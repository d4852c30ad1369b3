package tagkey

import (
	"bytes"
	"reflect"
)

// step puts one field into a key.
type step struct {
	Field
	label    []byte  // "source:name="
	static   []byte  // all there is to write, for const and schema
	form     form    // for the others
	lookup   *lookup // for request, but the built-in ones
	required bool    // absent is an error
	// zero is the encoded zero of an optional scalar without a pointer. In a
	// value of K it stands for absent. In a request it is itself; but as K cannot
	// tell the two apart, they must be in one partition, else no value of K would
	// reach the entries of an explicit zero. So a partition field is written as
	// absent, and a mark behind the partitions tells the keys apart.
	zero []byte
}

// prepare derives what a build needs from Field and form.
func (s *step) prepare() {
	switch s.Source {
	case sourceNamespace, sourceVersion:
		return
	case sourceConst:
		s.static = appendFramed([]byte(sourceConst+"="), s.SourceName)
		return
	}
	s.label = appendEscaped([]byte(s.Source+":"), s.SourceName)
	s.label = append(s.label, '=')
	if s.Source == sourceSchema {
		s.static = appendFramed(s.label, Fingerprint(s.Type))
		return
	}
	if s.Source == sourceRequest && !s.BuiltIn() {
		s.lookup = newLookup(s.SourceName, s.form)
		s.required = !s.Optional
	}
	if s.Source == sourceRequest && s.SourceName == "host" {
		s.form = newScalarForm(s.Type, stringScalar{lower: true}, false)
	}
	s.zero = s.encodedZero()
}

// encodedZero returns what step.zero holds, or nil.
func (s *step) encodedZero() []byte {
	f, ok := s.form.(*scalarForm)
	if !ok || f.pointer || !s.Optional {
		return nil
	}
	zero, err := f.value(nil, nil, reflect.Zero(s.Type))
	if err != nil || zero[0] == absent { // the type cannot marshal its zero, or it is nil
		return nil
	}
	return zero
}

// appendRequest appends the field of a request to dst; i is the step's place.
func (s *step) appendRequest(k *Key, dst []byte, r *Request, i int) ([]byte, error) {
	if s.static != nil {
		return append(dst, s.static...), nil
	}
	if err := s.gather(k, r); err != nil {
		return dst, s.fail(err)
	}
	dst = append(dst, s.label...)
	from := len(dst)
	dst, err := s.form.gathered(k, dst)
	if err != nil {
		return dst, s.fail(err)
	}
	if s.Partition && s.isZero(dst[from:]) {
		k.zeros |= 1 << i
		return append(dst[:from], absent), nil
	}
	if s.required && dst[from] == absent {
		return dst, s.fail(because(ErrAbsent, "the request has none; let what sets it run before the cache, or flag the field optional"))
	}
	return s.close(dst, from), nil
}

// appendValue appends the field of a value of K to dst.
func (s *step) appendValue(k *Key, dst []byte, v reflect.Value) ([]byte, error) {
	if s.static != nil {
		return append(dst, s.static...), nil
	}
	for _, i := range s.Index {
		v = v.Field(i)
	}
	dst = append(dst, s.label...)
	from := len(dst)
	if s.Optional && v.IsZero() { // first, since not every type can marshal its zero
		return append(dst, absent), nil
	}
	dst, err := s.form.value(k, dst, v)
	if err != nil {
		return dst, s.fail(err)
	}
	if s.Optional && s.isZero(dst[from:]) { // as -0 is
		dst = append(dst[:from], absent)
	}
	if s.required && dst[from] == absent {
		return dst, s.fail(because(ErrAbsent, "the value is nil; set it, or flag the field optional"))
	}
	return s.close(dst, from), nil
}

// isZero reports whether an encoded value is the zero that may stand for absent.
func (s *step) isZero(encoded []byte) bool { return s.zero != nil && bytes.Equal(encoded, s.zero) }

// close ends the value that begins at from.
func (s *step) close(dst []byte, from int) []byte {
	if s.Hash {
		return hashTail(dst, from)
	}
	return dst
}

func (s *step) fail(err error) error {
	return &ValueError{Field: s.GoName, Source: s.Source, Name: s.SourceName, Err: err}
}
