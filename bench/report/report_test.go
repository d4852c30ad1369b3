package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = `toolchain: go1.26.0
cores: 2
rounds: 3
goos: linux
goarch: amd64
cpu: Some CPU
BenchmarkHit/body=1KiB/peer=bare-Echo     	 100	 200 ns/op	 1 x-bare	 1 x-own	 3 allocs/ask
BenchmarkHit/body=1KiB/peer=restflow      	 100	 300 ns/op	 1.5 x-bare	 1.5 x-own	 4 allocs/ask
BenchmarkHit/body=1KiB/peer=gin-cache     	 100	 290 ns/op	 2.5 x-bare	 2 x-own	 5 allocs/ask
BenchmarkHit/body=1KiB/peer=restflow      	 100	 900 ns/op	 2 x-bare	 2 x-own	 4 allocs/ask
BenchmarkHit/body=1KiB/peer=restflow      	 100	 200 ns/op	 1.4 x-bare	 1.4 x-own	 4 allocs/ask
BenchmarkRedisHit/body=1KiB/clients=1-2   	 100	 30000 ns/op	 25000 get-ns/op
BenchmarkInvalidateRedis/entries=10/restflow-2	 100	 30000 ns/op	 20000 set-ns/op	 15000 del-ns/op
BenchmarkStampede/peer=restflow-2         	 3	 12000000 ns/op	 1.000 runs/op
`

func sampled(t *testing.T) *results {
	t.Helper()
	r, err := parse(strings.NewReader(sample), "sample")
	require.NoError(t, err)
	return r
}

// Peers are compared by their ratios to what ran beside them, not by times that were
// measured at different moments.
func TestPeersAreComparedByRatio(t *testing.T) {
	hits := sampled(t).hits("1KiB", "")
	require.Len(t, hits, 3)
	ours := find(hits, "restflow")
	require.InDelta(t, 1.5, ours.bare.median(), 0.001)
	require.InDelta(t, 300, ours.time.median(), 0.001)
	require.Equal(t, "restflow", hits[1].peer.Name) // before gin-cache, whose time is less
	require.Equal(t, "gin-cache", fastestPeer(hits).peer.Name)
	require.InDelta(t, 2, fastestPeer(hits).own.median(), 0.001)
}

func TestMetricsKeepTheUnitsThatTheyWerePrintedIn(t *testing.T) {
	r := sampled(t)
	ours, raw := r.redisHit("1KiB", 1)
	require.InDelta(t, 1.2, ours.over(raw).median(), 0.001)
	require.Equal(t, "Some CPU, 2 cores, linux/amd64, go1.26.0", r.Machine())
}

// A page can be written from any measurements, also from few.
func TestPageIsWritten(t *testing.T) {
	text, err := page(sampled(t))
	require.NoError(t, err)
	require.Contains(t, string(text), "| **restflow** | 1.50× | ∞ | 1.50× | 300 ns | 4 |")
	dir := t.TempDir()
	require.NoError(t, plots(sampled(t), dir))
	svg, err := os.ReadFile(filepath.Join(dir, "benchmarks-hit.svg"))
	require.NoError(t, err)
	require.Contains(t, string(svg), "gin-cache")
}

func TestNoResultsIsAnError(t *testing.T) {
	_, err := parse(strings.NewReader("PASS\n"), "empty.txt")
	require.EqualError(t, err, "empty.txt holds no benchmark")
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{span(236.4), "236 ns"},
		{span(12_900), "12.9 µs"},
		{span(1_783_000_000), "1.78 s"},
		{span(2.5), "2.50 ns"},
		{times(1.234), "1.23×"},
		{times(54.32), "54.3×"},
		{times(123.4), "123×"},
		{times(12345), "12,345×"},
		{count(1), "1"},
		{count(499.5), "500"},
		{thousands(1_000_000), "1,000,000"},
		{thousands(-1234), "-1,234"},
		{significant(0), "0"},
	} {
		require.Equal(t, c.want, c.got)
	}
}
