// Package msgpack encodes results of cached functions as MessagePack. It is apart
// from package restflow so that only those who use it link the encoder.
//
//	restflow.FuncConfig[Report]{Store: store, Codec: msgpack.Codec}
//
// Encoded results are smaller than with restflow.JSON, and bytes and times keep their
// type. Struct tags are those of github.com/vmihailenco/msgpack/v5: `msgpack:"name"`.
package msgpack

import (
	"github.com/vmihailenco/msgpack/v5"

	"github.com/restflow-go/restflow"
)

// Codec is a [restflow.Codec]. Its name is "msgpack". Safe for concurrent use.
var Codec restflow.Codec = codec{}

type codec struct{}

func (codec) Name() string                    { return "msgpack" }
func (codec) Encode(v any) ([]byte, error)    { return msgpack.Marshal(v) }
func (codec) Decode(data []byte, v any) error { return msgpack.Unmarshal(data, v) }
