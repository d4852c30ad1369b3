//go:build race

package signals_test

// The race detector empties pools at random.
const allocSlack = 8
