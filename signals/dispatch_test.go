package signals_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func TestDispatchers(t *testing.T) {
	refused := errors.New("queue is down")
	for name, c := range map[string]struct {
		dispatch func(context.Context, signals.Job) error
		failing  bool
		drops    int
		reports  []string
		err      string
	}{
		"runs":               {func(ctx context.Context, j signals.Job) error { return j.Run(ctx) }, false, 1, nil, ""},
		"takes and forgets":  {func(context.Context, signals.Job) error { return nil }, false, 0, nil, ""},
		"refuses":            {func(context.Context, signals.Job) error { return refused }, false, 1, []string{"signals: User->UserDetail: dispatch: queue is down"}, ""},
		"panics":             {func(context.Context, signals.Job) error { panic("oh") }, false, 1, []string{"signals: User->UserDetail: dispatch: panic: oh"}, ""},
		"returns the drop's": {func(ctx context.Context, j signals.Job) error { return j.Run(ctx) }, true, 1, []string{"signals: User->UserDetail: drop: down"}, "signals: User->UserDetail: drop: down"},
		"runs, then fails": {
			func(ctx context.Context, j signals.Job) error { _ = j.Run(ctx); return refused }, false, 1,
			[]string{"signals: User->UserDetail: dispatch: queue is down"},
			"queue is down",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rule := mapped("pk", "ID")
			rule.Dispatcher, rule.OnError = signals.DispatcherFunc(c.dispatch), signals.Return
			bus, target, heard := wire(t, rule)
			if c.failing {
				target.fail = errors.New("down")
			}
			err := bus.Publish(context.Background(), created(1)...)
			require.Len(t, target.take(), c.drops)
			require.Equal(t, c.reports, heard.take())
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
		})
	}
}

// Rules of one target share a job if they mean the same dispatcher.
func TestRulesShareJobsByDispatcher(t *testing.T) {
	jobs := 0
	counting := signals.DispatcherFunc(func(ctx context.Context, j signals.Job) error { jobs++; return j.Run(ctx) })
	share := func(pool *signals.Pool, a, b signals.Dispatcher) int {
		bus := signals.NewBus(signals.BusConfig{Dispatcher: counting, Dispatchers: map[string]signals.Dispatcher{"count": counting, "pool": pool}})
		target := newRecorder()
		one, two := mapped("pk", "ID"), mapped("team", "ID")
		one.Dispatcher, two.Dispatcher = a, b
		require.NoError(t, bus.Bind(target, one, two))
		require.NoError(t, bus.Publish(context.Background(), created(1)...))
		require.NoError(t, bus.Close(context.Background()))
		return len(target.take())
	}
	pool := func() *signals.Pool { return signals.NewPool(signals.PoolConfig{}) }
	require.Equal(t, 1, share(pool(), nil, nil))
	require.Equal(t, 1, share(pool(), signals.Named("count"), signals.Named("count")))
	require.Equal(t, 1, share(pool(), signals.Inline, signals.Named("inline")))
	own := pool()
	require.Equal(t, 1, share(own, own, signals.Named("pool")))
	require.Equal(t, 2, share(pool(), nil, signals.Inline))
	require.Equal(t, 2, share(pool(), counting, counting), "functions cannot be compared")
	require.Equal(t, 5, jobs)
}

func TestBusDispatcherByName(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{Dispatcher: signals.Named("inline")})
	target := newRecorder()
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.Equal(t, []string{"pk=1"}, target.take())
	require.EqualError(t, signals.Named("x").Dispatch(context.Background(), signals.Job{}),
		`signals: dispatcher "x" was never resolved; pass the name to Rule.Dispatcher`)
	require.NoError(t, signals.Inline.Dispatch(context.Background(), jobOf(t, bus)))
}

func jobOf(t *testing.T, bus *signals.Bus) signals.Job {
	t.Helper()
	job, err := bus.DecodeJob([]byte(`{"target":"UserDetail","groups":[{"names":["pk"],"key":{"pk":5}}]}`))
	require.NoError(t, err)
	return job
}

// A broker carries a job as text to a process that has the same target under its own bus.
func TestJobsTravel(t *testing.T) {
	var sent []byte
	rule := complete()
	rule.Dispatcher = signals.DispatcherFunc(func(_ context.Context, j signals.Job) (err error) {
		sent, err = json.Marshal(j)
		return err
	})
	near, far := newWarmer(), newWarmer()
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(near, rule))
	partial := full(2)
	partial.New.(*User).TeamID = nil
	require.NoError(t, bus.Publish(context.Background(), full(1), partial))
	require.Empty(t, near.take())
	require.JSONEq(t, `{"target":"UserDetail","rules":["User->UserDetail"],
		"groups":[{"names":["pk","team","user.id"],"key":{"pk":1,"team":2,"user.id":"n"}},{"names":["pk","user.id"],"key":{"pk":2,"user.id":"n"}}],
		"rewarm":[{"pk":1,"team":2,"user.id":"n","page":3}]}`, string(sent))

	other := signals.NewBus(signals.BusConfig{})
	require.NoError(t, other.Bind(far))
	job, err := other.DecodeJob(sent)
	require.NoError(t, err)
	require.Equal(t, []string{"User->UserDetail"}, job.Rules)
	require.NoError(t, job.Run(context.Background()))
	require.Equal(t, []string{"pk=1 team=2 user.id=n | pk=2 user.id=n"}, far.take())
	require.Equal(t, []string{"{PK:1 Team:2 User:n Page:3}"}, far.rewarmed)

	require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}))
	require.JSONEq(t, `{"target":"UserDetail","rules":["User->UserDetail"],"groups":[{"all":true}]}`, string(sent))
}

func TestJobErrors(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	for text, want := range map[string]string{
		`{`:                                     "signals: job: unexpected end of JSON input",
		`{"target":"UserDetails"}`:              `signals: target "UserDetails": no such target; did you mean "UserDetail"?`,
		`{"target":"UserDetail","groups":[{}]}`: `signals: job for "UserDetail": a group has no names; set Names, or All for the whole cache`,
		`{"target":"UserDetail","groups":[{"names":["pk"]}]}`:                  `signals: job for "UserDetail": key field "pk" has no value`,
		`{"target":"UserDetail","groups":[{"all":true,"soft":-5}]}`:            `signals: job for "UserDetail": a group's Soft is -5ns; give how long entries may answer as stale, or 0 for not at all`,
		`{"target":"UserDetail","groups":[{"names":["pkk"]}]}`:                 `signals: job for "UserDetail": UserKey has no partition field "pkk"; did you mean "pk"?`,
		`{"target":"UserDetail","groups":[{"names":["pk"],"key":{"pk":"x"}}]}`: `signals: job for "UserDetail": key field "pk": json: cannot unmarshal string into Go value of type int64`,
		`{"target":"UserDetail","groups":[{"all":true}],"rewarm":[{"pk":1}]}`:  `signals: job for "UserDetail": key field "team" has no value`,
	} {
		_, err := bus.DecodeJob([]byte(text))
		require.EqualError(t, err, want)
	}
	_, err := bus.DecodeJob([]byte(`{"target":"x"}`))
	require.ErrorIs(t, err, signals.ErrNoTarget)

	require.EqualError(t, signals.Job{}.Run(context.Background()), "signals: the job belongs to no bus; make it with Bus.DecodeJob")
	_, err = signals.Job{Target: "x"}.MarshalJSON()
	require.EqualError(t, err, `signals: job for "x": it was not made by a bus and cannot be encoded`)
	require.Empty(t, target.take())
}

func TestKeysThatCannotTravel(t *testing.T) {
	type Key struct{ C complex128 }
	var sent error
	rule := signals.On(func(*User) Key { return Key{} }, "c")
	rule.Dispatcher = signals.DispatcherFunc(func(_ context.Context, j signals.Job) error {
		_, sent = j.MarshalJSON()
		return sent
	})
	heard := &reports{}
	bus := signals.NewBus(heard.config())
	target := &recorder{info: describe[Key]("T", "C:c*")}
	require.NoError(t, bus.Bind(target, rule))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.Equal(t, []string{"c=(0+0i)"}, target.take(), "it ran here instead")
	require.EqualError(t, sent, `signals: job for "T": key field "c": json: unsupported type: complex128`)
	require.Len(t, heard.take(), 1)

	type Mute struct{ S silent }
	rule = signals.On(func(*User) Mute { return Mute{} }, "s")
	rule.Dispatcher = signals.DispatcherFunc(func(_ context.Context, j signals.Job) error {
		_, sent = j.MarshalJSON()
		return sent
	})
	target = &recorder{info: describe[Mute]("Mute", "S:s*")}
	require.NoError(t, bus.Bind(target, rule))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.Equal(t, []string{"s=0"}, target.take())
	require.EqualError(t, sent, `signals: job for "Mute": key field "s": json: cannot unmarshal string into Go value of type signals_test.silent`)
	require.Len(t, heard.take(), 2)
}

// silent writes what it does not read.
type silent int

func (silent) MarshalText() ([]byte, error) { return []byte("silent"), nil }

// What JSON would change drops its group here, as the other side would drop another one.
func TestKeysThatJSONWouldChange(t *testing.T) {
	type nested struct {
		A string
		B int `json:"-"`
	}
	type Key struct {
		Text   string
		Texts  []string
		Moment time.Time
		Pin    *time.Time
		IP     net.IP
		Addr   netip.Addr
		Values url.Values
		Nested nested
		Any    any
		Price  float64
		Number *big.Int
	}
	mean := time.FixedZone("", 1172) // 19 minutes and 32 seconds, as Amsterdam had it
	old := time.Date(1900, 1, 1, 0, 0, 0, 0, mean)
	local := time.Date(2024, 1, 1, 0, 0, 0, 5, time.FixedZone("", 3600))
	for _, c := range []struct {
		field  string
		key    Key
		travel bool
	}{
		{"Text", Key{Text: "caf\u00e9 \ufffd"}, true},
		{"Text", Key{Text: "caf\xe9"}, false},
		{"Texts", Key{Texts: []string{"a", "b"}}, true},
		{"Texts", Key{Texts: []string{}}, true},
		{"Texts", Key{Texts: []string{"a", "\xff"}}, false},
		{"Moment", Key{Moment: local}, true},
		{"Moment", Key{Moment: old}, true},
		{"Pin", Key{}, true},
		{"Pin", Key{Pin: &local}, true},
		{"Pin", Key{Pin: &old}, false},
		{"IP", Key{IP: net.IPv4(1, 2, 3, 4)}, true},
		{"IP", Key{}, true},
		{"IP", Key{IP: net.IP{}}, false},
		{"Addr", Key{Addr: netip.MustParseAddr("::1%eth0")}, true},
		{"Values", Key{Values: url.Values{"a": {"b"}, "c": nil}}, true},
		{"Values", Key{Values: url.Values{"a\xff": {"b"}}}, false},
		{"Nested", Key{Nested: nested{A: "x"}}, true},
		{"Nested", Key{Nested: nested{B: 1}}, false},
		{"Any", Key{Any: "x"}, true},
		{"Any", Key{Any: 1}, false},
		{"Price", Key{Price: 0.1}, true},
		{"Number", Key{Number: big.NewInt(7)}, true},
	} {
		info := describe[Key]("T", c.field+":f*")
		var sent []byte
		var refused error
		rule := signals.On(func(*User) Key { return c.key }, "f")
		rule.Dispatcher = signals.DispatcherFunc(func(_ context.Context, j signals.Job) error {
			sent, refused = json.Marshal(j)
			return refused
		})
		heard, near, far := &reports{}, &recorder{info: info}, &recorder{info: info}
		bus, other := signals.NewBus(heard.config()), signals.NewBus(signals.BusConfig{})
		require.NoError(t, bus.Bind(near, rule))
		require.NoError(t, other.Bind(far))
		require.NoError(t, bus.Publish(context.Background(), created(1)...))
		if !c.travel {
			require.Len(t, near.take(), 1, "%+v", c.key)
			require.Equal(t, []string{`signals: User->T: dispatch: json: error calling MarshalJSON for type signals.Job: ` +
				`signals: job for "T": key field "f": its value does not come back from JSON as it was`}, heard.take())
			continue
		}
		require.NoError(t, refused, "%+v", c.key)
		require.Empty(t, near.take())
		job, err := other.DecodeJob(sent)
		require.NoError(t, err)
		require.NoError(t, job.Run(context.Background()))
		require.Len(t, far.take(), 1)
		if moment := job.Groups[0].Key.(*Key).Moment; c.field == "Moment" {
			require.True(t, moment.Equal(c.key.Moment), "%v", moment)
		}
	}
}

func TestApply(t *testing.T) {
	bus, target, heard := wire(t, mapped("pk", "ID"))
	twin := newRecorder()
	require.NoError(t, bus.Bind(twin))
	ctx := context.Background()
	require.NoError(t, bus.Apply(ctx, "UserDetail", []signals.Group{{Names: []string{"pk"}, Key: &UserKey{PK: 1}}, {Names: []string{"team"}, Key: &UserKey{Team: 1}}}))
	require.Equal(t, []string{"pk=1 | team=1"}, target.take())
	require.Equal(t, []string{"pk=1 | team=1"}, twin.take(), "targets that share the name")
	require.NoError(t, bus.Apply(ctx, "UserDetail", nil))
	require.Empty(t, target.take())

	require.EqualError(t, bus.Apply(ctx, "userdetail", nil), `signals: target "userdetail": no such target; did you mean "UserDetail"?`)
	require.EqualError(t, bus.Apply(ctx, "UserDetail", []signals.Group{{Names: []string{"pk"}, Key: 3}}),
		`signals: target "UserDetail": a group's key is int; give a *signals_test.UserKey that is not nil`)
	require.Empty(t, target.take())
	twin.fail = errors.New("down")
	require.EqualError(t, bus.Apply(ctx, "UserDetail", []signals.Group{{All: true}}), "signals: UserDetail: drop: down")
	require.Equal(t, []string{"all"}, target.take())
	require.Equal(t, []string{"signals: UserDetail: drop: down"}, heard.take())
}

// Apply has a deadline of its own besides the caller's.
func TestApplyEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := signals.NewBus((&reports{}).config())
		require.NoError(t, bus.Bind(&waiting{newRecorder(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, bus.Apply(ctx, "UserDetail", []signals.Group{{All: true}}), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}
