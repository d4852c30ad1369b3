package restflow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// Functions answer nothing that was invalidated: to them every rule is hard. With
// Rewarm the result is there again before anybody asks.
func TestFuncKnowsNoSoftRules(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		for _, rewarm := range []bool{false, true} {
			l := newLedger(t, s, signals.Rule{
				Name: "soft", Model: invoice{}, Map: map[string]string{"team": "Team", "year": "Year"}, Soft: time.Hour, Rewarm: rewarm,
			})
			k := invoiceKey{Team: 1, Year: 2024}
			call := func() restflow.Metadata {
				_, m, err := l.counts.CallWithMetadata(t.Context(), k)
				require.NoError(t, err)
				return m
			}
			call()
			runs := l.runs
			l.commit(t, signals.Change{Op: signals.Create, New: &invoice{Team: 1, Year: 2024}})
			if !rewarm {
				_, err := l.counts.Metadata(t.Context(), k)
				require.ErrorIs(t, err, restflow.ErrMiss)
			}
			call()
			require.Equal(t, runs+1, l.runs)
		}
	})
}

// One drop of groups with several windows: the smaller counts where they meet in a
// scope, and a hard whole cache covers all.
func TestKeyspaceDropsSoftly(t *testing.T) {
	type key struct {
		_ struct{} `restflow:"namespace,Softly"`
		A int      `restflow:"arg,a,partition"`
		B int      `restflow:"arg,b,partition"`
		C int      `restflow:"arg,c,partition"`
	}
	group := func(a, b int, soft time.Duration, names ...string) signals.Group {
		return signals.Group{Names: names, Key: &key{A: a, B: b}, Soft: soft}
	}
	for name, c := range map[string]struct {
		groups []signals.Group
		left   time.Duration
	}{
		"one":                       {[]signals.Group{group(1, 0, time.Minute, "a")}, time.Minute},
		"twice":                     {[]signals.Group{group(1, 0, time.Hour, "a"), group(1, 0, time.Minute, "a")}, time.Minute},
		"two in one wider scope":    {[]signals.Group{group(1, 1, time.Hour, "a", "b"), group(1, 2, time.Minute, "a", "b")}, time.Minute},
		"two scopes":                {[]signals.Group{group(0, 1, time.Hour, "b"), group(1, 1, time.Minute, "a")}, time.Minute},
		"hard meets soft":           {[]signals.Group{group(1, 1, time.Hour, "a"), group(1, 1, 0, "a")}, 0},
		"hard beside soft":          {[]signals.Group{group(1, 1, time.Hour, "a"), group(1, 1, 0, "b")}, 0},
		"all softly":                {[]signals.Group{{All: true, Soft: time.Minute}, group(1, 0, time.Hour, "a")}, time.Minute},
		"all":                       {[]signals.Group{group(1, 0, time.Hour, "a"), {All: true}}, 0},
		"others":                    {[]signals.Group{group(2, 2, time.Hour, "a")}, -1},
		"what cannot be built":      {[]signals.Group{group(1, 0, time.Hour, "a"), {Names: []string{"a"}, Key: 1, Soft: time.Hour}}, 0},
		"negative, which is no set": {[]signals.Group{group(1, 0, -1, "a")}, 0},
	} {
		s := openMemory(t)
		space := restflow.NewKeyspace(s, tagkey.MustCompile[key]())
		var built tagkey.Key
		require.NoError(t, space.Plan.BuildValue(&built, &key{A: 1, B: 1, C: 1}))
		k := new(restflow.Key)
		space.Fill(k, &built, built.Bytes())
		put(t, s, k, "here")
		began := time.Now()
		if err := space.Drop(t.Context(), c.groups); name != "what cannot be built" {
			require.NoError(t, err, name)
		}
		var snap restflow.Snapshot
		require.NoError(t, s.Load(t.Context(), k, &snap))
		require.Equal(t, c.left == -1, snap.Entry != nil, name)
		require.Equal(t, c.left > 0, snap.Soft != nil, name)
		if c.left > 0 {
			require.WithinDuration(t, began.Add(c.left), time.Unix(0, snap.SoftUntil), 10*time.Second, name)
		}
	}
}
