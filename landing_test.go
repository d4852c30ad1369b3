package restflow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// One looks for the entry, another saves it and lands, and only then does the
// first come to join: it must find what was saved, and not run.
func TestALateLeaderLooksAgain(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	require.NoError(t, err)
	defer s.Close()
	k := &restflow.Key{Bytes: []byte("k"), Space: "T:v1", Scopes: []restflow.Scope{restflow.CacheScope("T")}}
	var early, late restflow.Snapshot
	require.NoError(t, s.Load(t.Context(), k, &early))
	require.NoError(t, s.Load(t.Context(), k, &late))
	fill := func(snap *restflow.Snapshot, body string) (*restflow.Entry, bool) {
		e, led, err := s.Fill(context.Background(), k, snap, func(*restflow.Flight) *restflow.Entry {
			return &restflow.Entry{Status: 200, Body: []byte(body), Created: time.Now().UnixNano()}
		})
		require.NoError(t, err)
		return e, led
	}
	_, led := fill(&early, "one")
	require.True(t, led)
	e, led := fill(&late, "two")
	require.False(t, led)
	require.Equal(t, "one", string(e.Body))

	require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[0]))
	_, led = fill(&late, "three")
	require.True(t, led, "what was invalidated is not found again")
}
