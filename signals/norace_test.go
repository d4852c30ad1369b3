//go:build !race

package signals_test

const allocSlack = 0
