package restflow

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisConfig configures NewRedis. The zero value is ready for use.
type RedisConfig struct {
	// Prefix begins every key in Redis. Give services that share a server but no
	// caches different ones. Default "restflow:".
	Prefix string
	// EpochTTL is how long the epoch of a group lives after the last fill in
	// it. When it expires the group's entries become misses, so it also bounds the
	// life of entries without expiration. Default 30 days.
	EpochTTL time.Duration
	// Compress is the size in bytes from which bodies are compressed (S2).
	// Default 0: never.
	Compress int
	// Timeout bounds each call, retries of the client included. Lookups that begin
	// shortly after each other end together, with up to a sixteenth less. Default 250 ms.
	Timeout time.Duration
	// WaitReplicas is how many replicas of a master have to confirm each
	// invalidation (WAIT), so that it survives a failover to one of them. If fewer
	// do so within half of Timeout, it fails with ErrUnconfirmed and is retried,
	// although it has taken effect on the master; meanwhile this process bypasses
	// the group. Set it to the number of replicas that each master has. Only for a
	// *redis.Client or *redis.ClusterClient. Default 0: none.
	WaitReplicas int
	// SyncSaves makes responses wait for the save, so other processes see the entry
	// before the first client gets its answer; if the save fails, the status is
	// Bypass. Default: entries are saved in the background, a few at a time. At
	// most 1,024 of them and 32 MiB wait; beyond that, entries are not stored.
	SyncSaves bool
	// Lease makes one process run the handler for all on a miss, where otherwise
	// each process runs it once; the others wait until the entry has arrived. It is
	// how long they wait at most, also when that process has died. Give about the
	// time of the slowest handler: if a run takes longer, another process runs the
	// handler as well. A miss then costs three more round trips. Default 0: none.
	Lease time.Duration
	// OnError is called for every failed call, saves in the background included; op
	// names the call. While invalidations are retried, it is called once for each
	// round of retries that failed. It may be called concurrently. Default: none.
	OnError func(op string, err error)
}

// NewRedis returns a store in Redis 7, for services of any number of
// processes. A lookup is one round trip: an MGET of the entry and its epochs on
// a single server, a pipeline on a cluster and behind Sentinel. An invalidation is
// one DEL. The entries that were read last are kept, up to 32 MiB, so as not to decode
// the same bytes again; what is served is nonetheless what Redis holds.
//
// The client must have ContextTimeoutEnabled set, or a slow Redis could hold
// requests for as long as its read timeout; and it must not read from replicas
// or from a client-side cache, which may return epochs that were bumped already. A
// redis.Ring is refused: while one of its servers is away it looks for keys on
// others, and the server comes back with epochs that were bumped meanwhile.
//
// A client that asks Sentinel for its master (NewFailoverClient and the like) reads
// with a command that replicas refuse, so that a demoted master cannot answer from its
// old state; a client with ReplicaOnly set only gets errors.
//
// It returns an error if the client is nil or one of those refused, or if a field of
// cfg is out of range. It does not connect: a Redis that is down is no error here, but
// makes requests BYPASS until it is up. The client stays the caller's: Close does not
// close it.
func NewRedis(client redis.UniversalClient, cfg RedisConfig) (*Store, error) {
	shape := sharedShape{cfg.Prefix, cfg.EpochTTL, cfg.Compress, cfg.Timeout}
	if err := errors.Join(checkClient(client), shape.normalize("RedisConfig"), checkWait(client, cfg.WaitReplicas), checkLease(cfg.Lease)); err != nil {
		return nil, err
	}
	single, _ := client.(*redis.Client)
	r := &redisStore{client: client, single: single, shape: shape, wait: cfg.WaitReplicas, watched: watched(client)}
	return newStore(r, limits{timeout: shape.timeout, syncSaves: cfg.SyncSaves, lease: cfg.Lease, onError: cfg.OnError}), nil
}

// checkClient refuses clients that would break a promise of the store.
func checkClient(client redis.UniversalClient) error {
	if isNil(client) {
		return errors.New("restflow: NewRedis: the client is nil; give redis.NewClient(&redis.Options{Addr: …, ContextTimeoutEnabled: true})")
	}
	var timeouts, replicas, cached bool
	switch c := client.(type) {
	case *redis.Client:
		o := c.Options()
		timeouts, cached = o.ContextTimeoutEnabled, o.ClientSideCacheConfig != nil || o.ClientSideCache != nil
	case *redis.ClusterClient:
		o := c.Options()
		timeouts, replicas = o.ContextTimeoutEnabled, o.ReadOnly || o.RouteByLatency || o.RouteRandomly
	case *redis.Ring:
		return errors.New("restflow: NewRedis: the client is a ring, which moves keys to other servers while one is away, and back to what was invalidated meanwhile; use a single server or a cluster")
	default:
		timeouts = true // a wrapper that we cannot look into
	}
	var errs []error
	if !timeouts {
		errs = append(errs, errors.New("restflow: NewRedis: the client ignores deadlines; set ContextTimeoutEnabled: true in its options, so that a slow Redis cannot hold requests"))
	}
	if replicas {
		errs = append(errs, errors.New("restflow: NewRedis: the client reads from replicas, which may show what was invalidated already; leave ReadOnly, RouteByLatency and RouteRandomly unset"))
	}
	if cached {
		errs = append(errs, errors.New("restflow: NewRedis: the client has a client-side cache, which may show what was invalidated already; leave ClientSideCache unset"))
	}
	return errors.Join(errs...)
}

// redisStore is the backend over Redis. An epoch is a key that holds 8 random
// bytes; a bump deletes it. That it is deleted and not replaced matters: a bump
// that the network delivers late or twice can then never bring an epoch back. For
// soft bumps see softBump.
type redisStore struct {
	client redis.UniversalClient
	single *redis.Client // nil for a cluster
	shape  sharedShape

	wait     int  // RedisConfig.WaitReplicas
	watched  bool // by Sentinel
	readings readings
}

func (r *redisStore) traits() traits { return traits{kind: "redis", shared: true, heedless: true} }

func (r *redisStore) load(ctx context.Context, k *Key, s *Snapshot) error {
	var room [1 + MaxScopes]string
	values := room[:1+len(k.Scopes)]
	if err := r.getFor(ctx, k, values); err != nil {
		return err
	}
	for i, v := range values[1:] {
		s.epochs[i], s.before[i] = parseEpoch(v), parsePredecessor(v)
	}
	if values[0] != "" {
		s.Entry, s.Fault = r.readings.decode(k, values[0])
	}
	return nil
}

// names are those of the entry and of the epochs that Load reads with it.
func (r *redisStore) names(k *Key) []string {
	names := make([]string, 0, MaxScopes+1)
	names = append(names, r.shape.entryKey(k))
	for _, sc := range k.Scopes {
		names = append(names, r.shape.epochKey(sc))
	}
	return names
}

func (r *redisStore) index(k *Known) {
	k.Key.names = &names{all: r.names(&k.Key), reading: r.readings.place()}
	if r.single != nil && !r.watched {
		k.Key.names.mget = mgetOf(k.Key.names.all)
	}
}

// getFor reads the entry of k and its epochs into dst.
func (r *redisStore) getFor(ctx context.Context, k *Key, dst []string) error {
	switch {
	case k.names == nil:
		return r.get(ctx, r.names(k), dst)
	case k.names.mget != nil:
		return r.mget(ctx, k.names.mget, dst)
	}
	return r.get(ctx, k.names.all, dst)
}

func (r *redisStore) read(ctx context.Context, scopes []Scope, dst []Epoch) error {
	names, values := make([]string, len(scopes)), make([]string, len(scopes))
	for i, sc := range scopes {
		names[i] = r.shape.epochKey(sc)
	}
	err := r.get(ctx, names, values)
	for i, v := range values {
		dst[i] = parseEpoch(v)
	}
	return err
}

// freshEpoch is an argument that is drawn anew whenever it is written to a
// connection. The client sends a command again when it has seen no reply; were
// the second attempt to carry the first one's epoch, the first, delivered late,
// could set an epoch that had been in use and bumped since.
type freshEpoch struct{}

func (freshEpoch) MarshalBinary() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, uint64(newEpoch())), nil
}

// ensure removes what is no epoch under an epoch's name, which would keep the
// group from ever being cached, and tries once more.
func (r *redisStore) ensure(ctx context.Context, scopes []Scope, epochs []Epoch) error {
	if err := r.setAbsent(ctx, scopes, epochs); err != nil || !absent(epochs[:len(scopes)]) {
		return err
	}
	var foreign []Scope
	for i, sc := range scopes {
		if epochs[i] == 0 {
			foreign = append(foreign, sc)
		}
	}
	if err := r.bump(ctx, foreign); err != nil {
		return err
	}
	return r.setAbsent(ctx, scopes, epochs)
}

// setAbsent sets the epochs that are zero, unless somebody else has done so, and
// reads what stands then.
func (r *redisStore) setAbsent(ctx context.Context, scopes []Scope, epochs []Epoch) error {
	cmds := make([]*redis.StringCmd, len(scopes))
	sent, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, sc := range scopes {
			if epochs[i] == 0 {
				name := r.shape.epochKey(sc)
				p.SetNX(ctx, name, freshEpoch{}, r.shape.epochTTL)
				cmds[i] = p.Get(ctx, name)
			}
		}
		return nil
	})
	for _, c := range sent { // the first error may be a harmless one
		if err == nil || noString(err) {
			err = c.Err()
		}
	}
	if err != nil && !noString(err) {
		return err
	}
	for i, c := range cmds {
		if c != nil {
			epochs[i] = parseEpoch(c.Val())
		}
	}
	return nil
}

// noString reports whether err says that a key is absent or holds something else
// than a string.
func noString(err error) bool {
	return errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE")
}

// save stores the entry and, in the same round trip, gives its epochs their full
// life again.
func (r *redisStore) save(ctx context.Context, k *Key, e *Entry, ttl time.Duration) error {
	if ttl == 0 {
		ttl = r.shape.epochTTL // an entry cannot outlive its epochs
	}
	raw := appendEntry(nil, e, r.shape.compress)
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, r.shape.entryKey(k), raw, max(ttl, time.Millisecond))
		for _, sc := range k.Scopes {
			p.PExpire(ctx, r.shape.epochKey(sc), r.shape.epochTTL)
		}
		for _, t := range e.Tags {
			p.PExpire(ctx, r.shape.epochKey(t.Scope), r.shape.epochTTL)
		}
		return nil
	})
	return err
}

func (r *redisStore) bump(ctx context.Context, scopes []Scope) error {
	names := make([]string, len(scopes))
	for i, sc := range scopes {
		names[i] = r.shape.epochKey(sc)
	}
	if r.wait > 0 {
		return r.confirmed(ctx, names, orderDel)
	}
	return r.del(ctx, names)
}

func (r *redisStore) remove(ctx context.Context, k *Key) error {
	return r.del(ctx, []string{r.shape.entryKey(k)})
}

func (r *redisStore) close() error { return nil }
