package redistest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
)

// MasterName is what the sentinels call the master that they watch.
const MasterName = "restflow"

// Sentinels is a master and a replica that three sentinels watch.
type Sentinels struct {
	t        testing.TB
	data     *Replicated
	watchers []*Server
	clients  []*redis.SentinelClient
}

// StartSentinels starts a master, a replica and three sentinels with a quorum
// of two, and returns once the sentinels know each other and the replica. The
// arguments are added to the command line of the master and the replica.
//
// A master that stops answering is held for dead after one second.
func StartSentinels(t testing.TB, args ...string) *Sentinels {
	t.Helper()
	s := &Sentinels{t: t, data: StartReplicated(t, args...)}
	for range 3 {
		s.watch()
	}
	for i := range s.watchers {
		await(t, s.watchers[i].Addr()+" knows the others", func(ctx context.Context) error { return s.informed(ctx, s.clients[i]) })
	}
	return s
}

// watch adds a sentinel.
func (s *Sentinels) watch() {
	s.t.Helper()
	// A sentinel keeps its state in its configuration file and will not start without one.
	conf := filepath.Join(s.t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	watcher := launch(s.t, spec{first: []string{conf, "--sentinel"}})
	watcher.do("SENTINEL", "MONITOR", MasterName, "127.0.0.1", s.data.master.port, 2)
	watcher.do("SENTINEL", "SET", MasterName, "down-after-milliseconds", 1000)
	client := redis.NewSentinelClient(watcher.Options())
	s.t.Cleanup(func() { _ = client.Close() })
	s.watchers, s.clients = append(s.watchers, watcher), append(s.clients, client)
}

// informed returns nil once a sentinel knows everything that a failover needs.
func (s *Sentinels) informed(ctx context.Context, client *redis.SentinelClient) error {
	peers, err := client.Sentinels(ctx, MasterName).Result()
	if err != nil {
		return err
	}
	replicas, err := client.Replicas(ctx, MasterName).Result()
	if err != nil {
		return err
	}
	if len(peers) != 2 || len(replicas) != 1 || replicas[0]["master-link-status"] != "ok" {
		return fmt.Errorf("it knows %d other sentinels and %d replicas", len(peers), len(replicas))
	}
	return client.CkQuorum(ctx, MasterName).Err()
}

// Master returns the server that takes writes now.
func (s *Sentinels) Master() *Server { return s.data.master }

// Replica returns the server that follows the master now.
func (s *Sentinels) Replica() *Server { return s.data.replica }

// Sync waits until the replica has everything that the master has; see [Replicated.Sync].
func (s *Sentinels) Sync() {
	s.t.Helper()
	s.data.Sync()
}

// Addrs returns the addresses of the sentinels.
func (s *Sentinels) Addrs() []string {
	addrs := make([]string, len(s.watchers))
	for i, watcher := range s.watchers {
		addrs[i] = watcher.Addr()
	}
	return addrs
}

// Client returns a new client that asks the sentinels for the master. It is
// closed when the test ends.
func (s *Sentinels) Client() *redis.Client {
	one := s.data.master.Options()
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            MasterName,
		SentinelAddrs:         s.Addrs(),
		ContextTimeoutEnabled: one.ContextTimeoutEnabled,
		DialTimeout:           one.DialTimeout,
		DialerRetries:         one.DialerRetries,
	})
	s.t.Cleanup(func() { _ = client.Close() }) // closed already, if the test did so
	return client
}

// Failover lets the sentinels replace the master, alive or killed, by its
// replica, waits until all of them name the new one, and returns it. A living
// old master follows the new one by then.
func (s *Sentinels) Failover() *Server {
	s.t.Helper()
	old, next := s.data.master, s.data.replica
	await(s.t, "a sentinel begins a failover", func(ctx context.Context) error {
		return s.begun(ctx, next)
	})
	for i, client := range s.clients {
		await(s.t, s.watchers[i].Addr()+" names "+next.Addr(), func(ctx context.Context) error { return names(ctx, client, next) })
	}
	s.data.master, s.data.replica = next, old
	if old.Running() {
		s.data.follow(old, next) // the sentinels would say so too, but only after 8 seconds
	}
	return next
}

// begun asks for a failover. It is content when one has happened already,
// since the sentinels may have seen the death of the master by themselves.
func (s *Sentinels) begun(ctx context.Context, next *Server) error {
	if names(ctx, s.clients[0], next) == nil {
		return nil
	}
	err := s.clients[0].Failover(ctx, MasterName).Err()
	if err != nil && redis.HasErrorPrefix(err, "INPROG") {
		return nil
	}
	return err
}

// names returns nil once a sentinel gives out the address of want.
func names(ctx context.Context, client *redis.SentinelClient, want *Server) error {
	addr, err := client.GetMasterAddrByName(ctx, MasterName).Result()
	if err == nil && (len(addr) != 2 || addr[0]+":"+addr[1] != want.Addr()) {
		err = fmt.Errorf("it names %v", addr)
	}
	return err
}
