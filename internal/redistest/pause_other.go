//go:build !unix

package redistest

import (
	"os"
	"testing"
)

func suspend(t testing.TB, _ *os.Process) {
	t.Helper()
	missing(t, "redistest: pausing a process needs a Unix system")
}

func wake(t testing.TB, _ *os.Process) { t.Helper() }
