package redistest

import (
	"context"
	"testing"
	"time"
)

const (
	// patience is how long a state may take to be reached. It is generous
	// because tests share their processors; it costs nothing when all is well.
	patience = 60 * time.Second
	// pollEvery is the pause between two looks at a state.
	pollEvery = 5 * time.Millisecond
	// askTimeout bounds one look, so that a server that hangs is asked again.
	askTimeout = 5 * time.Second
)

// await looks until cond returns nil and fails the test with the last error
// when that takes longer than [patience].
func await(t testing.TB, what string, cond func(context.Context) error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := look(cond)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("redistest: %s: not so after %s: %v", what, patience, err)
		}
		<-tick.C
	}
}

func look(cond func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	return cond(ctx)
}
