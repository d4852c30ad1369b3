//go:build race

package tagkey_test

const raceEnabled = true
