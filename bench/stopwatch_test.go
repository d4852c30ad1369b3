package bench_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// spans are the times that single operations took. What a benchmark does between
// them (to bring entries back to life, say) is not in them, and the median of them
// is not moved by the pauses of a busy machine. For operations of a microsecond or more.
type spans []time.Duration

func (s *spans) time(op func()) {
	began := time.Now()
	op()
	*s = append(*s, time.Since(began))
}

// try is time for what can fail.
func (s *spans) try(b *testing.B, op func() error) {
	b.Helper()
	var err error
	s.time(func() { err = op() })
	require.NoError(b, err)
}

func (s spans) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return float64(sorted[len(sorted)/2].Nanoseconds())
}

// report sets a metric to the median. "ns/op" takes the place of the mean that
// the testing package computes.
func (s spans) report(b *testing.B, unit string) {
	b.Helper()
	b.ReportMetric(s.median(), unit)
}
