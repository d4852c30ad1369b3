package restflow_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// codec is JSON that can be told to fail.
type codec struct {
	name           string
	encode, decode func() error
}

func (c codec) Name() string { return c.name }

func (c codec) Encode(v any) ([]byte, error) {
	if c.encode != nil {
		if err := c.encode(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(v)
}

func (c codec) Decode(data []byte, v any) error {
	if c.decode != nil {
		if err := c.decode(); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, v)
}

func with(c restflow.Codec) func(*restflow.FuncConfig[total]) {
	return func(cfg *restflow.FuncConfig[total]) { cfg.Codec = c }
}

func TestCodecFailuresCostNoCallItsResult(t *testing.T) {
	for name, tt := range map[string]struct {
		codec codec
		want  []string
	}{
		"cannot encode": {
			codec{name: "c", encode: func() error { return errors.New("no") }},
			[]string{"MISS because the result could not be encoded: no", "MISS because the result could not be encoded: no"},
		},
		"panics while encoding": {
			codec{name: "c", encode: func() error { panic("ouch") }},
			[]string{
				"MISS because the result could not be encoded: restflow: panic while encoding by c: ouch",
				"MISS because the result could not be encoded: restflow: panic while encoding by c: ouch",
			},
		},
		"cannot decode": {
			codec{name: "c", decode: func() error { return errors.New("no") }},
			[]string{"MISS stored", "MISS stored because the stored value was unreadable: restflow: a stored *restflow_test.total does not decode: no"},
		},
		"panics while decoding": {
			codec{name: "c", decode: func() error { panic("ouch") }},
			[]string{"MISS stored", "MISS stored because the stored value was unreadable: restflow: a stored *restflow_test.total does not decode: restflow: panic while decoding by c: ouch"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _, ev := newAdder(t, miniStore(t), with(tt.codec))
			for range 2 {
				v, err := f.Call(t.Context(), sum{A: 1})
				require.NoError(t, err)
				require.Equal(t, 1, v.N)
			}
			require.Equal(t, tt.want, ev.take())
		})
	}
}

func TestABodyThatDoesNotDecodeIsReplaced(t *testing.T) {
	broken := true
	c := codec{name: "c", decode: func() error {
		if broken {
			return errors.New("no")
		}
		return nil
	}}
	f, a, ev := newAdder(t, miniStore(t), with(c))
	_, err := f.Call(t.Context(), sum{})
	require.NoError(t, err)
	_, _, err = f.Peek(t.Context(), sum{})
	require.ErrorIs(t, err, restflow.ErrMiss)
	require.EqualError(t, err, "restflow: not cached\nrestflow: a stored *restflow_test.total does not decode: no")
	_, err = f.Call(t.Context(), sum{})
	require.NoError(t, err)
	broken = false
	_, m, err := f.CallWithMetadata(t.Context(), sum{})
	require.NoError(t, err)
	require.Equal(t, restflow.Hit, m.Status)
	require.Equal(t, 2, a.count())
	require.Len(t, ev.take(), 3)
}

func TestGarbageInTheStoreIsAMiss(t *testing.T) {
	server := redistest.Start(t)
	f, a, ev := newAdder(t, redisFor(t, server))
	_, err := f.Call(t.Context(), sum{})
	require.NoError(t, err)
	require.NoError(t, f.Store().Flush(t.Context()))
	client := server.Client()
	for name, garbage := range map[string]func(key string) error{
		"foreign": func(key string) error { return client.Set(t.Context(), key, "hello", 0).Err() },
		"cut":     func(key string) error { return cut(t, client, key) },
		"a list": func(key string) error {
			return errors.Join(client.Del(t.Context(), key).Err(), client.LPush(t.Context(), key, "x").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			runs := a.count()
			keys, err := client.Keys(t.Context(), "restflow:e:*").Result()
			require.NoError(t, err)
			require.Len(t, keys, 1)
			require.NoError(t, garbage(keys[0]))
			_, m, err := f.CallWithMetadata(t.Context(), sum{})
			require.NoError(t, err)
			require.Equal(t, restflow.Miss, m.Status)
			_, m, err = f.CallWithMetadata(t.Context(), sum{})
			require.NoError(t, err)
			require.Equal(t, restflow.Hit, m.Status)
			require.Equal(t, runs+1, a.count())
			require.NoError(t, f.Store().Flush(t.Context()))
		})
	}
	require.Contains(t, fmt.Sprint(ev.take()), "because the stored value was unreadable: not an entry: no head")
}

func cut(t *testing.T, client *redis.Client, key string) error {
	raw, err := client.Get(t.Context(), key).Result()
	if err != nil {
		return err
	}
	return client.Set(t.Context(), key, raw[:len(raw)-1], 0).Err()
}

// A deploy that changes the result's type, or the codec, must not read what the
// last one stored.
func TestAChangedResultTypeMisses(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		type key struct{ ID int }
		require.Equal(t, "MISS", status(t, s, "json", func(key) old { return old{} }))
		require.Equal(t, "HIT", status(t, s, "json", func(key) old { return old{} }))
		require.Equal(t, "MISS", status(t, s, "json", func(key) renamed { return renamed{} }))
		require.Equal(t, "MISS", status(t, s, "json", func(key) *old { return nil }))
		require.Equal(t, "MISS", status(t, s, "other", func(key) old { return old{} }))
		require.Equal(t, "HIT", status(t, s, "json", func(key) old { return old{} }))
	})
}

type (
	old     struct{ Count int }
	renamed struct{ Count string }
)
