//go:build !race

package echocache_test

const raceEnabled = false
