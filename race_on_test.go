//go:build race

package restflow_test

const raceEnabled = true
