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
func check(t *testing.T, p program, proto protocol, absentValid bool) (faults []string, seen answers) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(proto, absentValid)
		w.run(p)
		synctest.Wait()
		faults, seen = w.faults, w.answers
	})
	return faults, seen
}

// TestConsistency draws programs and finds no fault, through the middleware and
// through the store's own protocol.
func TestConsistency(t *testing.T) {
	for name, proto := range map[string]protocol{"store": storeProtocol, "responses": responses, "stale responses": staleResponses} {
		t.Run(name, func(t *testing.T) {
			var sum answers
			round := func() {
				rapid.Check(t, func(rt *rapid.T) {
					p := programs().Draw(rt, "program")
					faults, seen := check(t, p, proto, false)
					sum.Reads += seen.Reads
					sum.Own += seen.Own
					sum.Cached += seen.Cached
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
		})
	}
}

// TestConsistencyFindsMutants breaks the protocol on purpose. A checker that does
// not notice is worth nothing.
func TestConsistencyFindsMutants(t *testing.T) {
	const enough = 5000
	for name, mutant := range map[string]struct {
		proto       protocol
		absentValid bool
	}{
		"epochs are read after the handler":    {proto: epochsAfterHandler},
		"flights are keyed by the key alone":   {proto: flightsByKey},
		"an absent epoch is taken to be valid": {proto: storeProtocol, absentValid: true},
	} {
		t.Run(name, func(t *testing.T) {
			gen := programs()
			for seed := range enough {
				if faults, _ := check(t, gen.Example(seed), mutant.proto, mutant.absentValid); len(faults) > 0 {
					t.Logf("found by program %d: %s", seed, faults[0])
					return
				}
			}
			t.Fatalf("%d programs did not find the mutant", enough)
		})
	}
}
