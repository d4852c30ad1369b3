package peer

import (
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Kind says what stands in a row of a table.
type Kind uint8

const (
	// Baseline is a framework without a cache.
	Baseline Kind = iota
	// Floor is the least that any cache in this framework does on a hit.
	Floor
	// Ours is restflow.
	Ours
	// Theirs is another cache.
	Theirs
)

// Peer is one way to answer, not set up yet.
type Peer struct {
	// Name as it stands in benchmark names and tables, without blanks.
	Name string
	// Stack is the name of the baseline of its framework.
	Stack string
	Kind  Kind
	// Redis says that Env.Redis is required.
	Redis bool
	// Open sets it up, so that misses are answered by origin.
	Open func(env Env, origin Origin) (*Site, error)
}

// Env is what a peer may use.
type Env struct {
	// Entries is how many entries it must have room for.
	Entries int
	// BodyBytes is the size of a body.
	BodyBytes int
	// Redis is a client of a server of its own; nil if there is none.
	Redis *redis.Client
}

// budget is a bound in bytes that leaves room for all entries, twice over.
func (e Env) budget() int { return 2*e.Entries*(e.BodyBytes+1024) + 1<<20 }

// capacity is a bound in entries that leaves room for all, twice over.
func (e Env) capacity() int { return 2*e.Entries + 16 }

// Site is a peer that is set up. Its functions may be called by many goroutines.
type Site struct {
	// Client returns a new client, for one goroutine.
	Client func() Client
	// Drop invalidates the answer about an item, by the means that the peer
	// offers. It is nil where there are none.
	Drop func(item int) error
	// Close releases what the peer holds. It may be nil.
	Close func()
}

// Shut closes the site if it needs to be.
func (s *Site) Shut() {
	if s.Close != nil {
		s.Close()
	}
}

// Origin makes the body of an item. It is the handler's work behind every cache.
type Origin func(item string) []byte

// Client asks a site again and again, with one request and one writer.
type Client interface {
	// Aim sets the item that is asked for.
	Aim(item int)
	// Ask sends the request and waits for the answer.
	Ask()
	// Answer asks like Ask, and returns what came.
	Answer() Answer
}

// Answer is a response.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// Header fields of every answer.
const (
	contentType = "application/json"
	one, two    = "1", "2"
)

// Query is what every request asks with.
const Query = "page=2&sort=name&q=hello"

// Path of an item.
func Path(item int) string { return "/items/" + strconv.Itoa(item) }

// URI of an item, with the query.
func URI(item int) string { return Path(item) + "?" + Query }

// All returns every peer, baselines and floor first.
func All() []Peer {
	return []Peer{
		bareEcho, bareEchoUser, bareGin, bareHTTP, bareFiber, floor,
		restflowMemory, restflowTyped, restflowUser, restflowRedis,
		echoHTTPCache, goEchoCache, gocacheTags, gocacheLoadable, gocacheRedis,
		ginCache, stampedeCache, httpCache, souinCache, fiberCache,
	}
}

// Caches returns the peers that keep answers.
func Caches() (caches []Peer) {
	for _, p := range All() {
		if p.Kind == Ours || p.Kind == Theirs {
			caches = append(caches, p)
		}
	}
	return caches
}
