package msgpack_test

import (
	"fmt"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/msgpack"
)

func Example() {
	type report struct {
		Title string `json:"title" msgpack:"t"`
		Cents int    `json:"cents" msgpack:"c"`
	}
	for _, codec := range []restflow.Codec{restflow.JSON, msgpack.Codec} {
		data, err := codec.Encode(report{"March", 500})
		fmt.Println(codec.Name(), len(data), err)
	}
	// Output:
	// json 29 <nil>
	// msgpack 14 <nil>
}
