package tagkey_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/tagkey"
)

// The partitions of requests that leave a parameter out, or empty, can be built
// without one.
func TestUnfiltered(t *testing.T) {
	type key struct {
		Tags   []string   `restflow:"query,tag&=,partition,sorted"`
		ID     string     `restflow:"path,id,partition,hash,optional"`
		Status *string    `restflow:"query,status,partition,lower"`
		Wary   wary       `restflow:"query,wary,partition"`
		Lang   string     `restflow:"header,Accept-Language,partition"`
		Query  url.Values `restflow:"query,*,partition"`
	}
	plan := tagkey.MustCompile[key]()
	var left, empty tagkey.Key
	require.NoError(t, plan.BuildRequest(&left, &tagkey.Request{HTTP: httptest.NewRequest(http.MethodGet, "/", nil)}))
	require.NoError(t, plan.BuildRequest(&empty, &tagkey.Request{
		HTTP:       httptest.NewRequest(http.MethodGet, "/?tag%26%3D=&status=", nil),
		ParamNames: []string{"id"}, ParamValues: []string{""},
	}))
	for i, f := range plan.Partitions() {
		var want [][]byte
		switch f.GoName {
		case "Tags", "Status":
			want = [][]byte{left.Partition(i), empty.Partition(i)}
			require.NotEqual(t, want[0], want[1])
		case "Wary", "ID": // which cannot be empty, or tell no difference
			want = [][]byte{left.Partition(i)}
		}
		require.Equal(t, want, plan.Unfiltered(i), f.GoName)
	}
	require.Empty(t, plan.Unfiltered(-1))
	require.Empty(t, plan.Unfiltered(len(plan.Partitions())))
}

// wary cannot be empty.
type wary struct{ text string }

func (w wary) MarshalText() ([]byte, error) { return []byte(w.text), nil }

func (w *wary) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		panic(errors.New("empty"))
	}
	w.text = string(text)
	return nil
}
