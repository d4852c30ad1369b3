package restflow

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Codec turns results of functions into the bytes that a shared store keeps, and
// back. It is called concurrently. Codecs with different options need different names:
// the name is part of every key, so that no result is decoded by a codec that did not
// encode it.
type Codec interface {
	// Name identifies the codec: "json", "msgpack".
	Name() string
	// Encode returns v, a V, in bytes that the store may keep.
	Encode(v any) ([]byte, error)
	// Decode fills v, a *V that points to a zero V, from what Encode returned.
	// It must not keep or change data, which other calls are reading.
	Decode(data []byte, v any) error
}

// JSON is the default Codec: encoding/json. What JSON does not carry, such as
// unexported fields or the dynamic type in an interface, is lost on the way.
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) Name() string                    { return "json" }
func (jsonCodec) Encode(v any) ([]byte, error)    { return json.Marshal(v) }
func (jsonCodec) Decode(data []byte, v any) error { return json.Unmarshal(data, v) }

// checkResult refuses types that JSON is known to be unable to bring back.
func checkResult(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return nil
		}
	default:
		return nil
	}
	return fmt.Errorf("restflow: FuncConfig.Codec: JSON cannot decode a %s; return a type that it can, or set a Codec that knows yours", t)
}

// encode calls the codec. What it encodes is the user's, and so may be the code
// that does it: a panic must not become the caller's, who has a result already.
func encode(c Codec, v any) (data []byte, err error) {
	defer func() { recovered(recover(), c, "encoding", &err) }()
	return c.Encode(v)
}

// decode is encode's other half.
func decode(c Codec, data []byte, v any) (err error) {
	defer func() { recovered(recover(), c, "decoding", &err) }()
	return c.Decode(data, v)
}

func recovered(p any, c Codec, doing string, err *error) {
	if p != nil {
		*err = fmt.Errorf("restflow: panic while %s by %s: %v", doing, c.Name(), p)
	}
}
