package msgpack_test

import (
	"bytes"
	"context"
	"math"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/msgpack"
)

type part struct{ Name string }

type whole struct {
	N      int64
	F      float64
	S      string
	B      []byte
	At     time.Time
	Parts  []part
	ByName map[string]*part
	None   *part
}

func sample() whole {
	return whole{
		N: math.MinInt64, F: math.Inf(-1), S: "ä\x00", B: []byte{0, 255}, At: time.Unix(5, 7).UTC(),
		Parts: []part{{"a"}, {}}, ByName: map[string]*part{"x": {"y"}, "nil": nil},
	}
}

func TestRoundTrip(t *testing.T) {
	data, err := msgpack.Codec.Encode(sample())
	require.NoError(t, err)
	var got whole
	require.NoError(t, msgpack.Codec.Decode(data, &got))
	require.True(t, sample().At.Equal(got.At))
	got.At = sample().At // an instant has no place
	require.Equal(t, sample(), got)
}

func TestDecodingDoesNotHoldTheData(t *testing.T) {
	data, err := msgpack.Codec.Encode(sample())
	require.NoError(t, err)
	before := bytes.Clone(data)
	var got whole
	require.NoError(t, msgpack.Codec.Decode(data, &got))
	got.B[0] = 9
	require.Equal(t, before, data)
}

func TestHostileData(t *testing.T) {
	good, err := msgpack.Codec.Encode(sample())
	require.NoError(t, err)
	for i := range good {
		var got whole
		require.Error(t, msgpack.Codec.Decode(good[:i], &got), i)
	}
	var n int
	require.EqualError(t, msgpack.Codec.Decode([]byte{0xc1}, &n), "msgpack: invalid code=c1 decoding int64")
}

func TestFunctionsTakeIt(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	defer func() { require.NoError(t, client.Close()) }()
	store, err := restflow.NewRedis(client, restflow.RedisConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	f, err := restflow.NewFunc(restflow.FuncConfig[*whole]{Store: store, Name: "whole", Codec: msgpack.Codec},
		func(_ context.Context, n int) (*whole, error) {
			if n == 0 {
				return nil, nil
			}
			w := sample()
			return &w, nil
		})
	require.NoError(t, err)
	for n := range 2 {
		_, err = f.Call(t.Context(), n)
		require.NoError(t, err)
		got, m, err := f.CallWithMetadata(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, restflow.Hit, m.Status)
		require.Equal(t, n == 0, got == nil)
	}
}
