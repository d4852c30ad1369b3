package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// process is one run of the redis-server program, from its start to its end.
type process struct {
	cmd  *exec.Cmd
	log  string        // path of what it printed
	done chan struct{} // closed once it has ended and was reaped
}

// startProcess runs the program in dir, where it also leaves its log.
func startProcess(path, dir string, args []string) (*process, error) {
	log, err := os.CreateTemp(dir, "redis-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has a copy of its own
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(path), err)
	}
	p := &process{cmd: cmd, log: log.Name(), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // it ends by a kill: its status says nothing
	}()
	return p, nil
}

// kill ends the process at once, paused or not, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended already
	<-p.done
}

// ended reports whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tail returns the last lines that the process printed, for failure messages.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// lostPort reports whether the process ended because another one listens on
// one of its ports.
func (p *process) lostPort() bool {
	text, err := os.ReadFile(p.log)
	return err == nil && p.ended() && strings.Contains(string(text), "Address already in use")
}
