package redistest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Server is one redis-server process that belongs to one test.
type Server struct {
	t      testing.TB
	path   string        // of the program
	dir    string        // its folder for the whole test, over all restarts
	args   []string      // after the address: what makes it what it is
	port   int           // the same over all restarts
	bus    int           // port of the cluster bus; 0 outside a cluster
	proc   *process      // the current run, or the last one
	paused bool          // whether the current run is stopped by a signal
	admin  *redis.Client // what this package itself asks through
}

// Start starts an empty server and returns once it answers. The arguments are
// added to its command line, as in "--maxmemory", "1mb". It is ended when the
// test ends.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return launch(t, spec{args: append(inMemory(), args...)})
}

// inMemory is what makes a server keep nothing on disk.
func inMemory() []string {
	return []string{"--save", "", "--appendonly", "no", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"}
}

// spec is what distinguishes one kind of server from another.
type spec struct {
	first   []string // arguments that must lead the command line
	args    []string
	cluster bool
}

func launch(t testing.TB, sp spec) *Server {
	t.Helper()
	s := &Server{t: t, path: Binary(t), dir: t.TempDir()}
	t.Cleanup(s.stop)
	for range 10 {
		s.port = reservePort(t)
		s.args = slices.Concat(sp.first, []string{"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir}, sp.args)
		if sp.cluster {
			s.bus = reservePort(t)
			s.args = append(s.args, "--cluster-port", strconv.Itoa(s.bus))
		}
		if s.run() {
			s.admin = s.Client()
			return s
		}
	}
	t.Fatalf("redistest: ten ports in a row were taken by other processes; the last log:\n%s", s.proc.tail())
	return nil
}

// run starts the process and waits until it answers. It returns false when
// another process took its port first; anything else that goes wrong fails the test.
func (s *Server) run() bool {
	s.t.Helper()
	proc, err := startProcess(s.path, s.dir, s.args)
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	s.proc, s.paused = proc, false
	probe := s.Client()
	defer probe.Close()
	await(s.t, "redis-server answers on "+s.Addr(), func(ctx context.Context) error {
		if proc.ended() {
			return nil
		}
		return answers(ctx, probe, s.Addr(), proc.cmd.Process.Pid)
	})
	if proc.ended() && !proc.lostPort() {
		s.t.Fatalf("redistest: redis-server %q ended at once:\n%s", s.args, proc.tail())
	}
	return !proc.ended()
}

// answers returns nil once the server at addr answers PING and is the process
// pid: it could be another test's server that took the port.
func answers(ctx context.Context, probe *redis.Client, addr string, pid int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err // asked first because a client would retry for a while
	}
	_ = conn.Close()
	if err := probe.Ping(ctx).Err(); err != nil {
		return err
	}
	info, err := probe.InfoMap(ctx, "server").Result()
	if err != nil {
		return err
	}
	if got := info["Server"]["process_id"]; got != strconv.Itoa(pid) {
		return fmt.Errorf("process %s answers instead of process %d", got, pid)
	}
	return nil
}

// stop ends the process if it runs. It is the cleanup, so it asks for nothing.
func (s *Server) stop() {
	if s.proc != nil {
		s.proc.kill()
	}
}

// Addr returns the host and port on which the server listens, the same before
// and after a restart.
func (s *Server) Addr() string { return loopback(s.port) }

// Options returns fresh client options for the server: contexts bound every
// command, and a failed dial is not retried, so that a test of a dead server is fast.
func (s *Server) Options() *redis.Options {
	return &redis.Options{
		Addr:                     s.Addr(),
		ContextTimeoutEnabled:    true,
		DialerRetries:            1,
		DialTimeout:              askTimeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// Client returns a new client with [Server.Options]. It is closed when the test ends.
func (s *Server) Client() *redis.Client {
	client := redis.NewClient(s.Options())
	s.t.Cleanup(func() { _ = client.Close() }) // closed already, if the test did so
	return client
}

// FlushAll empties the server.
func (s *Server) FlushAll() {
	s.t.Helper()
	s.do("FLUSHALL")
}

// do runs one command through the admin connection and fails the test when the
// server refuses it.
func (s *Server) do(args ...any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.admin.Do(ctx, args...).Err(); err != nil {
		s.t.Fatalf("redistest: %s: %v: %v", s.Addr(), args, err)
	}
}

// info returns one section of the server's INFO.
func (s *Server) info(ctx context.Context, section, heading string) (map[string]string, error) {
	all, err := s.admin.InfoMap(ctx, section).Result()
	return all[heading], err
}
