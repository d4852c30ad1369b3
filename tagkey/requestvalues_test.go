package tagkey_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/tagkey"
)

// Of requests that differ in values of the context alone, those with equal request
// values, and no others, have equal keys; and what fails there fails in a build.
func TestRequestValuesTellKeysApart(t *testing.T) {
	type key struct {
		_     struct{} `restflow:"namespace,c"`
		Page  int      `restflow:"query,page"`
		ID    int      `restflow:"request,id,partition,optional"`
		Name  string   `restflow:"request,name,optional,hash"`
		Roles []string `restflow:"request,roles,optional"`
		Host  string   `restflow:"request,host"`
	}
	plan, err := tagkey.CompileType(reflect.TypeFor[key]())
	require.NoError(t, err)
	ids := []any{nil, 0, "0", 1, "1", "01", 1.0, 1.5, math.Inf(1), math.NaN(), "a", struct{}{}}
	names := []any{nil, "", "-", "0:", "a", []byte("a"), "1:a"}
	roles := []any{nil, []string(nil), []string{}, []string{""}, []string{"a", "b"}, []string{"a1:b"}, "a"}
	type asked struct {
		values, key string
		failed      bool
	}
	var all []asked
	var k tagkey.Key
	for _, id := range ids {
		for _, name := range names {
			for _, role := range roles {
				r := get("page=1", withValue("id", id), withValue("name", name), withValue("roles", role))
				before := []byte("before")
				values, err := plan.AppendRequestValues(before, &k, r)
				require.True(t, bytes.HasPrefix(values, before))
				require.Empty(t, k.Bytes())
				built := plan.BuildRequest(&k, r)
				if err != nil {
					require.EqualError(t, built, err.Error())
					require.Equal(t, before, values)
				} else {
					require.NoError(t, built)
				}
				all = append(all, asked{string(values), k.String(), err != nil})
			}
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if !a.failed && !b.failed && (a.values == b.values) != (a.key == b.key) {
				t.Fatalf("values %q and %q, keys %q and %q", a.values, b.values, a.key, b.key)
			}
		}
	}
}
