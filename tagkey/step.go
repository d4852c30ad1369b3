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
	// zero is the encoded zero of an optional partition field without a pointer.
	// K cannot tell that zero from absent, so both must be in one partition: else
	// no value of K would reach the entries of an explicit zero. The key still
	// tells them apart, by a mark behind the partitions.
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
		s.static = appendFramed(s.label, fingerprint(s.Type))
		return
	}
	if s.Source == sourceRequest && !s.BuiltIn() {
		s.lookup = newLookup(s.SourceName, s.form)
		s.required = !s.Optional
	}
	if s.Source == sourceRequest && s.SourceName == "host" {
		s.form = scalarForm{scalar: stringScalar{lower: true}}
	}
	s.zero = s.sharedZero()
}

// sharedZero returns the zero's encoding, if zero and absent share a partition.
func (s *step) sharedZero() []byte {
	f, ok := s.form.(scalarForm)
	if !ok || f.pointer || !s.Partition || !s.Optional {
		return nil
	}
	zero, err := f.value(nil, nil, reflect.Zero(s.Type))
	if err != nil || zero[0] == absent { // the type cannot marshal its zero, or it is nil
		return nil
	}
	return zero
}

// appendRequest writes the field of a request to the key.
func (s *step) appendRequest(k *Key, r *Request) error {
	if s.static != nil {
		return s.appendStatic(k)
	}
	if err := s.gather(k, r); err != nil {
		return s.fail(err)
	}
	from := s.open(k)
	var err error
	if k.buf, err = s.form.gathered(k, k.buf); err != nil {
		return s.fail(err)
	}
	if s.zero != nil && bytes.Equal(k.buf[from:], s.zero) {
		k.zeros |= 1 << len(k.present)
		k.buf = append(k.buf[:from], absent)
		k.present = append(k.present, true)
		return nil
	}
	return s.close(k, from, "the request has none; let what sets it run before the cache, or flag the field optional")
}

// appendValue writes the field of a value of K to the key.
func (s *step) appendValue(k *Key, v reflect.Value) error {
	if s.static != nil {
		return s.appendStatic(k)
	}
	for _, i := range s.Index {
		v = v.Field(i)
	}
	from := s.open(k)
	if s.Optional && v.IsZero() {
		k.buf = append(k.buf, absent)
		return s.close(k, from, "")
	}
	var err error
	if k.buf, err = s.form.value(k, k.buf, v); err != nil {
		return s.fail(err)
	}
	return s.close(k, from, "the value is nil; set it, or flag the field optional")
}

func (s *step) appendStatic(k *Key) error {
	k.buf = append(k.buf, s.static...)
	k.present = append(k.present, true)
	return nil
}

// open writes the label and returns where the value begins.
func (s *step) open(k *Key) int {
	k.buf = append(k.buf, s.label...)
	return len(k.buf)
}

// close ends the value that begins at from. A required one must not be absent.
func (s *step) close(k *Key, from int, whenAbsent string) error {
	isPresent := k.buf[from] != absent
	k.present = append(k.present, isPresent)
	if s.required && !isPresent {
		return s.fail(because(ErrAbsent, "%s", whenAbsent))
	}
	if s.Hash {
		k.buf = hashTail(k.buf, from)
	}
	return nil
}

func (s *step) fail(err error) error {
	return &ValueError{Field: s.GoName, Source: s.Source, Name: s.SourceName, Err: err}
}
