package redistest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
)

// Replicated is a master with one replica, outside any cluster.
type Replicated struct {
	t               testing.TB
	master, replica *Server
}

// StartReplicated starts a master and a replica and returns once the replica
// follows. The arguments are added to the command line of both.
func StartReplicated(t testing.TB, args ...string) *Replicated {
	t.Helper()
	r := &Replicated{t: t, master: Start(t, args...), replica: Start(t, args...)}
	r.follow(r.replica, r.master)
	return r
}

// Master returns the server that takes writes now.
func (r *Replicated) Master() *Server { return r.master }

// Replica returns the server that follows the master now.
func (r *Replicated) Replica() *Server { return r.replica }

// Sync waits until the replica has everything that the master had when Sync was called.
func (r *Replicated) Sync() {
	r.t.Helper()
	want := 0
	await(r.t, r.master.Addr()+" tells its offset", func(ctx context.Context) (err error) {
		want, err = offset(ctx, r.master, "master_repl_offset")
		return err
	})
	await(r.t, r.replica.Addr()+" has caught up", func(ctx context.Context) error {
		got, err := offset(ctx, r.replica, "slave_repl_offset")
		if err == nil && got < want {
			err = fmt.Errorf("it is at %d of %d", got, want)
		}
		return err
	})
}

func offset(ctx context.Context, s *Server, field string) (int, error) {
	info, err := s.info(ctx, "replication", "Replication")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(info[field])
}

// Promote makes the replica the master and returns it. The old master, if it
// runs, becomes its replica and forgets what it had not sent; one that was
// killed stays down, and forms a replica again by [Replicated.Rejoin].
//
// Writes that the replica has not seen are lost: call [Replicated.Sync] first to keep them.
func (r *Replicated) Promote() *Server {
	r.t.Helper()
	r.replica.do("REPLICAOF", "NO", "ONE")
	r.master, r.replica = r.replica, r.master
	if r.replica.Running() {
		r.follow(r.replica, r.master)
	}
	return r.master
}

// Rejoin makes the server that is not the master follow it, after a restart or
// a pause, and waits until it does.
func (r *Replicated) Rejoin() {
	r.t.Helper()
	r.follow(r.replica, r.master)
}

func (r *Replicated) follow(replica, master *Server) {
	r.t.Helper()
	replica.do("REPLICAOF", "127.0.0.1", master.port)
	await(r.t, replica.Addr()+" follows "+master.Addr(), func(ctx context.Context) error { return follows(ctx, replica, master) })
}

// follows returns nil once replica is in step behind master.
func follows(ctx context.Context, replica, master *Server) error {
	info, err := replica.info(ctx, "replication", "Replication")
	if err != nil {
		return err
	}
	if info["role"] != "slave" || info["master_port"] != strconv.Itoa(master.port) {
		return fmt.Errorf("it is a %s of port %q", info["role"], info["master_port"])
	}
	return inStep(ctx, replica)
}
