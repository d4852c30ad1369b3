package tagkey_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/tagkey"
)

// The partition of a request that leaves a parameter out can be built without one.
func TestAppendAbsentPartition(t *testing.T) {
	type key struct {
		Page  int        `restflow:"query,page,partition"`
		Tags  []string   `restflow:"query,tag,partition,sorted"`
		ID    string     `restflow:"path,id,partition,hash,optional"`
		Lang  string     `restflow:"header,Accept-Language,partition"`
		User  *string    `restflow:"request,user,partition,optional"`
		Query url.Values `restflow:"query,*,partition"`
	}
	plan := tagkey.MustCompile[key]()
	var k tagkey.Key
	require.NoError(t, plan.BuildRequest(&k, &tagkey.Request{HTTP: httptest.NewRequest(http.MethodGet, "/", nil)}))
	for i, f := range plan.Partitions() {
		got, ok := plan.AppendAbsentPartition([]byte("before "), i)
		if want := f.SourceName != "*" && (f.Source == "query" || f.Source == "path"); !want {
			require.False(t, ok, f)
			require.Equal(t, "before ", string(got))
			continue
		}
		require.True(t, ok, f)
		require.Equal(t, "before "+string(k.Partition(i)), string(got))
	}
	_, ok := plan.AppendAbsentPartition(nil, -1)
	require.False(t, ok)
	_, ok = plan.AppendAbsentPartition(nil, 6)
	require.False(t, ok)
}
