package redistest

// Kill ends the process at once (SIGKILL), as a crash does: open connections
// break, what it held is lost. A killed server can be started again with
// [Server.Restart].
func (s *Server) Kill() {
	s.t.Helper()
	s.proc.kill()
}

// Restart ends the process if it runs and starts a new, empty one on the same
// port. It returns once that one answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.proc.kill()
	if !s.run() {
		s.t.Fatalf("redistest: another process took %s while the server was down", s.Addr())
	}
}

// Pause stops the process without ending it (SIGSTOP): connections stay open
// and are even accepted by the kernel, but nothing answers. Where the system
// cannot do that, the test is skipped.
func (s *Server) Pause() {
	s.t.Helper()
	suspend(s.t, s.proc.cmd.Process)
	s.paused = true
}

// Resume lets a paused process go on: it then answers what it was sent meanwhile.
func (s *Server) Resume() {
	s.t.Helper()
	wake(s.t, s.proc.cmd.Process)
	s.paused = false
}

// Running reports whether the process is there and not paused.
func (s *Server) Running() bool {
	return !s.proc.ended() && !s.paused
}
