package chaos_test

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// site is where a scenario plays: a server, and each node's own way to it.
type site struct {
	t       *testing.T
	w       *world
	server  *redistest.Server
	proxies []*redistest.Proxy
	admin   *redis.Client // of the server, past the proxies
	bites   func(*site) bool
	lasts   time.Duration
	before  int64     // bypassed requests before the fault
	began   time.Time // the fault
}

// scenario is one fault. It begins, lasts for a while and until it bites, and ends.
type scenario struct {
	name  string
	args  []string // of the server
	lease time.Duration
	begin func(*site)
	end   func(*site)
	bites func(*site) bool // the fault has been felt
	check func(*site)      // beside what holds for all
}

var scenarios = []scenario{
	{name: "calm"},
	{
		name:  "killed, comes back empty",
		begin: func(s *site) { s.server.Kill() },
		end:   func(s *site) { s.server.Restart() },
		bites: bypassed,
	},
	{
		name:  "restarted empty at once",
		begin: func(s *site) { s.server.Restart() },
	},
	{
		name:  "paused",
		begin: func(s *site) { s.server.Pause() },
		end:   func(s *site) { s.server.Resume() },
		bites: bypassed,
	},
	{
		name:  "one node cut off",
		begin: func(s *site) { s.proxies[0].Cut() },
		end:   healed,
		bites: bypassed,
	},
	{
		name:  "one node cut off, under leases", // and cannot give back those that it has
		lease: timeout / 2,
		begin: func(s *site) { s.proxies[0].Cut() },
		end:   healed,
		bites: bypassed,
	},
	{
		name:  "one node in a black hole",
		begin: func(s *site) { s.proxies[1].Blackhole() },
		end:   healed, // what the node sent meanwhile arrives now
		bites: bypassed,
	},
	{
		name:  "500 ms slower",
		begin: each(func(p *redistest.Proxy) { p.Delay(500 * time.Millisecond) }),
		end:   healed,
		bites: bypassed,
	},
	{
		name:  "replies corrupted",
		begin: each(func(p *redistest.Proxy) { p.CorruptBytes(97) }),
		end:   healed,
	},
	{
		name:  "replies lost",
		begin: func(s *site) { s.during(s.loseReplies) },
		end:   healed,
		bites: bypassed,
	},
	{
		name:  "garbage under our keys",
		begin: func(s *site) { s.during(s.writeGarbage) },
		bites: func(s *site) bool { return s.w.sums.faulty.Load() > 0 },
	},
	{
		name:  "too little memory",
		args:  []string{"--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"},
		begin: func(s *site) { s.during(s.fillMemory) },
		bites: func(s *site) bool {
			info, err := s.admin.InfoMap(context.Background(), "stats").Result()
			require.NoError(s.t, err)
			return info["Stats"]["evicted_keys"] != "0"
		},
	},
	{
		name:  "no memory left",
		args:  []string{"--maxmemory-policy", "noeviction"},
		begin: func(s *site) { s.limitMemory("1") },
		end:   func(s *site) { s.limitMemory("0") },
		bites: bypassed,
		check: func(s *site) { // not by what was acknowledged: a loaded machine misses the time limit too
			info, err := s.admin.InfoMap(context.Background(), "commandstats").Result()
			require.NoError(s.t, err)
			require.Contains(s.t, info["Commandstats"]["cmdstat_del"], "rejected_calls=0", "a full Redis still invalidates")
		},
	},
}

func each(f func(*redistest.Proxy)) func(*site) {
	return func(s *site) {
		for _, p := range s.proxies {
			f(p)
		}
	}
}

func healed(s *site) { each((*redistest.Proxy).Heal)(s) }

func bypassed(s *site) bool { return s.w.sums.bypassed.Load() > s.before }

// during runs f again and again for as long as the fault lasts.
func (s *site) during(f func()) {
	for s.lasting() {
		f()
	}
}

// lasting reports whether the fault is to go on.
func (s *site) lasting() bool {
	since := time.Since(s.began)
	if since < s.lasts {
		return true
	}
	if s.bites == nil || s.bites(s) {
		return false
	}
	require.Less(s.t, since, patience, "the fault is not felt")
	return true
}

// loseReplies carries out what a node asks and loses the replies after a while:
// invalidations among them, which then have happened without being acknowledged.
func (s *site) loseReplies() {
	for _, p := range s.proxies {
		p.Heal()
		p.LimitBytes(mathrand.IntN(4000))
	}
	time.Sleep(20 * time.Millisecond)
}

// writeGarbage replaces what the nodes have stored. Nothing that it writes under
// an epoch's name has ever been one: no protocol could tell that from a bump undone.
func (s *site) writeGarbage() {
	ctx, client := context.Background(), s.admin
	names, err := client.Keys(ctx, "restflow:*").Result()
	require.NoError(s.t, err)
	if len(names) == 0 {
		return
	}
	for range 20 {
		name := names[mathrand.IntN(len(names))]
		s.spoil(ctx, client, name, names[mathrand.IntN(len(names))])
	}
	time.Sleep(5 * time.Millisecond)
}

func (s *site) spoil(ctx context.Context, client *redis.Client, name, other string) {
	value, _ := client.Get(ctx, name).Bytes() // none, or another type
	noise := make([]byte, mathrand.IntN(40))
	_, _ = rand.Read(noise)
	switch entry := len(value) > 8; mathrand.IntN(6) {
	case 0:
		client.Set(ctx, name, noise, 0)
	case 1:
		client.Del(ctx, name)
		client.LPush(ctx, name, noise)
	case 2:
		client.Set(ctx, name, value[:len(value)/2], 0)
	case 3:
		epoch := make([]byte, 8)
		_, _ = rand.Read(epoch)
		client.Set(ctx, name, epoch, 0)
	case 4:
		client.Del(ctx, name)
	case 5:
		if entry { // another key's entry
			if value, err := client.Get(ctx, other).Bytes(); err == nil && len(value) > 8 {
				client.Set(ctx, name, value, 0)
			}
		}
	}
}

// limitMemory tells the server how much it may use; "0" is no limit.
func (s *site) limitMemory(bytes string) {
	require.NoError(s.t, s.admin.ConfigSet(context.Background(), "maxmemory", bytes).Err())
}

// fillMemory stores what others may keep on the same server, so that it evicts.
func (s *site) fillMemory() {
	for range 20 {
		s.admin.Set(context.Background(), "other:"+strconv.Itoa(mathrand.Int()), make([]byte, 4<<10), 0)
	}
	time.Sleep(2 * time.Millisecond)
}
