//go:build unix

package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// suspend returns once the process is stopped: a signal only begins that.
func suspend(t testing.TB, p *os.Process) {
	t.Helper()
	send(t, p, syscall.SIGSTOP)
	await(t, "redis-server is stopped", func(context.Context) error { return stopped(p.Pid) })
}

func wake(t testing.TB, p *os.Process) {
	t.Helper()
	send(t, p, syscall.SIGCONT)
}

func send(t testing.TB, p *os.Process, sig os.Signal) {
	t.Helper()
	if err := p.Signal(sig); err != nil {
		t.Fatalf("redistest: send %s to redis-server: %v", sig, err)
	}
}

// stopped returns nil when the process is in state T (proc(5)), and where the
// system does not tell.
func stopped(pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The state follows the program's name, which ends at the last parenthesis.
	text := string(stat)
	if state := strings.TrimSpace(text[strings.LastIndexByte(text, ')')+1:]); !strings.HasPrefix(state, "T") {
		return fmt.Errorf("its state is %.1s", state)
	}
	return nil
}
