package restflow_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
)

func yes[V any](context.Context, V) (bool, error) { return true, nil }

func TestNewFuncReportsEveryFaultAtOnce(t *testing.T) {
	type badKey struct {
		A int      `restflow:"arg,a,partiton"`
		B chan int `restflow:"arg,b"`
	}
	_, err := restflow.NewFunc[badKey](restflow.FuncConfig[int]{
		TTL: time.Second, NoExpiration: true, Jitter: math.Inf(1),
		CacheIf: yes[int], CacheUnless: yes[int], StoreTimeout: -1,
		InvalidatesOn: []signals.Rule{{}}, Codec: codec{},
	}, nil)
	require.EqualError(t, err, `tagkey: badKey.A: tag "arg,a,partiton": unknown flag "partiton"; did you mean "partition"?
tagkey: badKey.B: tag "arg,b": type chan int is not supported; use a scalar, a slice, an array, a map with string keys or a struct of these, or implement encoding.TextMarshaler
restflow: FuncConfig.TTL: 1s and NoExpiration exclude each other; remove one
restflow: FuncConfig.Jitter: +Inf is not at least 0 and below 1; it is the share of the TTL that may be cut off
restflow: FuncConfig.Store is nil; give one made by NewMemory, NewRedis or NewStore
restflow: FuncConfig.CacheIf and CacheUnless exclude each other; remove one
restflow: FuncConfig.StoreTimeout: -1ns is negative; leave it 0 for the store's own
restflow: FuncConfig.InvalidatesOn needs a Bus that carries the changes; set Bus
restflow: FuncConfig.Codec: a restflow_test.codec has no name; return one from Name that no other codec has
restflow: NewFunc: the function is nil; give the one whose results are cached`)
}

func TestNewFuncRefuses(t *testing.T) {
	memory := memoryFor(t)
	redis := miniStore(t)
	type team struct{ ID int64 }
	for name, tt := range map[string]struct {
		make func() error
		want string
	}{
		"a negative TTL": {
			func() error { return func1(restflow.FuncConfig[int]{Store: memory, TTL: -1}) },
			"restflow: FuncConfig.TTL: -1ns is negative; leave it 0 for 1h0m0s, or set NoExpiration",
		},
		"rules without a struct": {
			func() error {
				bus := signals.NewBus(signals.BusConfig{})
				return func1(restflow.FuncConfig[int]{Store: memory, Bus: bus, InvalidatesOn: []signals.Rule{{Model: team{}}}})
			},
			"restflow: FuncConfig.InvalidatesOn: rules fill fields of a key struct, and int64 has none; use a struct with a field of that type",
		},
		"a rule that cannot fill what it rewarms": {
			func() error {
				bus := signals.NewBus(signals.BusConfig{})
				_, err := restflow.NewFunc(restflow.FuncConfig[total]{
					Store: memory, Bus: bus,
					InvalidatesOn: []signals.Rule{{Model: team{}, Map: map[string]string{"a": "ID"}, Rewarm: true}},
				}, (&adder{}).add)
				return err
			},
			"signals: rule team->Sum: Rewarm: Map does not fill every key field; map b, Note too",
		},
		"a literal in a shared store": {
			func() error { return func1(restflow.FuncConfig[int]{Store: redis}) },
			"restflow: FuncConfig.Name is not set, and the function is a literal, whose name in the code changes from build to build; give the name that its results have in a shared store",
		},
		"results that JSON cannot bring back": {
			func() error {
				_, err := restflow.NewFunc(restflow.FuncConfig[error]{Store: redis, Name: "f"}, func(context.Context, int) (error, error) { return nil, nil })
				return err
			},
			"restflow: FuncConfig.Codec: JSON cannot decode a error; return a type that it can, or set a Codec that knows yours",
		},
		"channels": {
			func() error {
				_, err := restflow.NewFunc(restflow.FuncConfig[chan int]{Store: redis, Name: "f"}, func(context.Context, int) (chan int, error) { return nil, nil })
				return err
			},
			"restflow: FuncConfig.Codec: JSON cannot decode a chan int; return a type that it can, or set a Codec that knows yours",
		},
		"pointers to keys": {
			func() error {
				_, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: memory}, func(context.Context, *team) (int, error) { return 0, nil })
				return err
			},
			"tagkey: *restflow_test.team: is a pointer; use team",
		},
	} {
		t.Run(name, func(t *testing.T) { require.EqualError(t, tt.make(), tt.want) })
	}
}

// func1 makes a function of a literal.
func func1(cfg restflow.FuncConfig[int]) error {
	_, err := restflow.NewFunc(cfg, func(context.Context, int64) (int, error) { return 0, nil })
	return err
}

func TestAFunctionThatNamesItselfIsMadeOnce(t *testing.T) {
	s := memoryFor(t)
	_, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s}, double)
	require.NoError(t, err)
	_, err = restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Namespace: "Doubles"}, double)
	require.NoError(t, err)
	_, err = restflow.NewFunc(restflow.FuncConfig[int]{Store: s}, double)
	require.EqualError(t, err, "restflow: FuncConfig.Name is not set, and the store has results of github.com/restflow-go/restflow_test.double under int v1 already; set one Name for both if they are the same function, and else two")
}

func miniStore(t *testing.T) *restflow.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	s, err := restflow.NewRedis(client, restflow.RedisConfig{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, client.Close())
	})
	return s
}

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }
func triple(_ context.Context, n int) (int, error) { return 3 * n, nil }

func TestFunctionsOfOneKeyAndResultAreKeptApart(t *testing.T) {
	s := miniStore(t)
	two, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s}, double)
	require.NoError(t, err)
	three, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s}, triple)
	require.NoError(t, err)
	for range 2 {
		n, err := two.Call(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, 14, n)
		n, err = three.Call(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, 21, n)
	}
}

func TestFunctionsThatNameThemselvesMustDiffer(t *testing.T) {
	s := memoryFor(t)
	times := func(n int, name string) (*restflow.Func[int, int], error) {
		return restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: name}, func(_ context.Context, m int) (int, error) { return n * m, nil })
	}
	var errs []error
	for n := range 2 { // one literal, two functions
		_, err := times(n, "")
		errs = append(errs, err)
	}
	require.NoError(t, errs[0])
	require.ErrorContains(t, errs[1], "restflow: FuncConfig.Name is not set, and the store has results of github.com/restflow-go/restflow_test.TestFunctionsThatNameThemselvesMustDiffer.")
	require.ErrorContains(t, errs[1], " under int v1 already; set one Name for both if they are the same function, and else two")
	four, err := times(4, "four")
	require.NoError(t, err)
	same, err := times(4, "four")
	require.NoError(t, err, "with a name given, sharing is meant")
	five, err := times(5, "five")
	require.NoError(t, err)

	_, err = four.Call(t.Context(), 1)
	require.NoError(t, err)
	_, m, err := same.CallWithMetadata(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, restflow.Hit, m.Status)
	_, m, err = five.CallWithMetadata(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, restflow.Miss, m.Status)
}

func TestAFunctionThatWasNotMadeLeavesItsName(t *testing.T) {
	s := memoryFor(t)
	type model struct{ ID int }
	type key struct {
		ID int `restflow:"arg,id,partition"`
	}
	fn := func(context.Context, key) (int, error) { return 0, nil }
	bad := restflow.FuncConfig[int]{
		Store: s, Bus: signals.NewBus(signals.BusConfig{}),
		InvalidatesOn: []signals.Rule{{Model: model{}, Map: map[string]string{"id": "Id"}}},
	}
	_, err := restflow.NewFunc(bad, fn)
	require.ErrorContains(t, err, `did you mean "ID"?`)
	bad.InvalidatesOn[0].Map["id"] = "ID"
	_, err = restflow.NewFunc(bad, fn)
	require.NoError(t, err)
}

func TestMustNewFunc(t *testing.T) {
	require.PanicsWithError(t, "restflow: FuncConfig.Store is nil; give one made by NewMemory, NewRedis or NewStore", func() {
		restflow.MustNewFunc(restflow.FuncConfig[int]{}, double)
	})
	f := restflow.MustNewFunc(restflow.FuncConfig[int]{Store: memoryFor(t), Namespace: "Doubles"}, double)
	require.Equal(t, "Doubles v1 {arg=arg:arg}", f.Plan().String())
	n, err := f.Call(t.Context(), 4)
	require.NoError(t, err)
	require.Equal(t, 8, n)
}
