package consistency_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/restflow-go/restflow/internal/consistency"
)

// check runs one program in a bubble of its own, where time passes only when
// everybody waits.
func check(t *testing.T, p program, s setting) (faults []string, seen answers) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(s)
		w.run(p)
		synctest.Wait()
		faults, seen = w.faults, w.answers
	})
	return faults, seen
}

// TestConsistency draws programs and finds no fault, through the middleware and
// through the store's own protocol.
func TestConsistency(t *testing.T) {
	for _, s := range []setting{
		{name: "store", proto: storeProtocol, open: overGocache},
		{name: "responses", proto: responses, open: overGocache},
		{name: "stale responses", proto: staleResponses, open: overGocache},
		{name: "responses and Redis", proto: responses, open: overRedis},
		{name: "stale responses and Redis", proto: staleResponses, open: overRedis},
		{name: "stale responses in memory", proto: staleResponses, open: inMemory},
	} {
		t.Run(s.name, func(t *testing.T) {
			var sum answers
			round := func() {
				rapid.Check(t, func(rt *rapid.T) {
					p := programs().Draw(rt, "program")
					faults, seen := check(t, p, s)
					sum.Reads += seen.Reads
					sum.Own += seen.Own
					sum.Cached += seen.Cached
					sum.Softened += seen.Softened
					if len(faults) > 0 {
						rt.Fatalf("%s\n%v", faults[0], p)
					}
				})
			}
			began := time.Now()
			for range 5 {
				round()
			}
			for consistency.For(began) {
				round()
			}
			t.Logf("%+v", sum)
			require.Greater(t, sum.Cached*20, sum.Reads, "too few reads were answered from the cache to mean anything")
			if s.soft() {
				require.Greater(t, sum.Softened*2000, sum.Reads, "too few reads got what was invalidated softly")
			} else {
				require.Zero(t, sum.Softened)
			}
		})
	}
}

// TestConsistencyFindsMutants breaks the protocol on purpose. A checker that does
// not notice is worth nothing.
func TestConsistencyFindsMutants(t *testing.T) {
	const enough = 5000
	for _, mutant := range []setting{
		{name: "epochs are read after the handler", proto: epochsAfterHandler, open: overGocache},
		{name: "flights are keyed by the key alone", proto: flightsByKey, open: overGocache},
		{name: "an absent epoch is taken to be valid", proto: storeProtocol, open: overGocache, mutation: mutation{absentValid: true}},
		{name: "soft windows do not end", proto: responses, open: overRedis, mutation: mutation{endless: true}},
		{name: "a second soft bump keeps what stood before the first", proto: responses, open: overRedis, mutation: mutation{generations: true}},
	} {
		t.Run(mutant.name, func(t *testing.T) {
			gen := programs()
			for seed := range enough {
				if faults, _ := check(t, gen.Example(seed), mutant); len(faults) > 0 {
					t.Logf("found by program %d: %s", seed, faults[0])
					return
				}
			}
			t.Fatalf("%d programs did not find the mutant", enough)
		})
	}
}
