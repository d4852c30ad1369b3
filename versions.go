package restflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/restflow-go/restflow/tagkey"
)

// ErrNoListing is returned by DeletePreviousVersions on a store that cannot list its
// entries: any made by NewStore. Entries of previous versions expire there.
var ErrNoListing = errors.New("the store cannot list its entries; wait until those of previous versions expire, or use NewRedis or NewMemory")

// SweepConfig configures DeletePreviousVersions. The zero value scans the whole store
// in one call.
type SweepConfig struct {
	// BatchSize is about how many stored keys one command looks at, and so the most
	// that one command deletes. Default 1,000.
	BatchSize int

	// Limit ends the call once it has deleted this many entries, or slightly more,
	// since it ends with a batch. Continue with Cursor. Default 0: none.
	Limit int

	// Cursor is Sweep.Cursor of an earlier call, from which this one continues.
	// Default "": from the start.
	Cursor string

	// Progress is called after every batch with the state of the call. Save its
	// Cursor to continue after a crash. The next batch waits for it to return.
	// Default: none.
	Progress func(ctx context.Context, s Sweep)
}

// Sweep is the state of a call of DeletePreviousVersions.
type Sweep struct {
	// Deleted counts the entries that the call deleted, Batches its commands.
	Deleted, Batches int
	// Cursor is where to continue, in this process or another one. It is empty when
	// the whole store has been scanned.
	Cursor string
}

// DeletePreviousVersions frees the memory of entries of the namespace's previous
// versions, 1 to n-1, which no key finds any more since the version in the key
// struct's tag was raised to n. It is housekeeping: without it they expire.
//
// Only entries of this namespace are deleted. In Redis it scans the keys of the
// server, or of every master of a cluster, in batches that block it no longer than any
// other command. It sees every key that exists from start to end, except, on a cluster,
// keys that change master meanwhile. In memory it scans the entries without a lock.
// Lookups and fills continue.
//
// When ctx ends or the store fails it returns the error, and the Sweep says where to
// continue. Processes that still run a previous version keep filling its entries;
// sweep when they are gone.
func (s Space[K]) DeletePreviousVersions(ctx context.Context, cfg SweepConfig) (Sweep, error) {
	return s.keyspace.deletePreviousVersions(ctx, cfg)
}

const defaultSweepBatch = 1000

func (s *Keyspace) deletePreviousVersions(ctx context.Context, cfg SweepConfig) (Sweep, error) {
	if err := cfg.normalize(); err != nil {
		return Sweep{Cursor: cfg.Cursor}, err
	}
	b, ok := s.Store.backend.(sweeper)
	if !ok {
		return Sweep{Cursor: cfg.Cursor}, fmt.Errorf("restflow: %s: %w", s.Store.Kind(), ErrNoListing)
	}
	if s.Plan.Version() == 1 {
		return Sweep{}, nil
	}
	sw := &sweep{
		store: s.Store, cfg: cfg, space: s.name, previous: previousTo(s.Plan),
		state: Sweep{Cursor: cfg.Cursor},
	}
	err := s.Store.Flush(ctx) // what this process has yet to save is swept as well
	if err == nil {
		err = b.sweep(ctx, sw)
	}
	return sw.state, err
}

func (c *SweepConfig) normalize() error {
	var errs []error
	if c.BatchSize < 0 {
		errs = append(errs, fmt.Errorf("restflow: SweepConfig.BatchSize: %d is negative; leave it 0 for %d", c.BatchSize, defaultSweepBatch))
	}
	if c.Limit < 0 {
		errs = append(errs, fmt.Errorf("restflow: SweepConfig.Limit: %d is negative; leave it 0 for none", c.Limit))
	}
	if c.BatchSize == 0 {
		c.BatchSize = defaultSweepBatch
	}
	return errors.Join(errs...)
}

// previous tells entries of a plan's previous versions from all others.
type previous struct {
	version int
	name    string // what names in a shared store begin with behind the store's prefix
	key     []byte // what full keys begin with
}

func previousTo(p *tagkey.Plan) previous {
	number := fmt.Sprint(p.Version())
	return previous{
		version: p.Version(),
		name:    "e:" + escapeName(p.Namespace()) + ":v",
		key:     []byte(strings.TrimSuffix(p.Prefix(), number+"|")),
	}
}

// hasKey reports whether a full key, such as rf1|User|v3|…, is of a previous version.
func (p *previous) hasKey(key []byte) bool {
	rest, ok := bytes.CutPrefix(key, p.key)
	number, _, found := bytes.Cut(rest, []byte("|"))
	return ok && found && isPrevious(number, p.version)
}

// hasName reports whether an entry's name, such as e:User:v3:<hash>, is of a
// previous version. The namespace has no colon, since it is escaped.
func (p *previous) hasName(name string) bool {
	rest, ok := strings.CutPrefix(name, p.name)
	number, hash, found := strings.Cut(rest, ":")
	return ok && found && len(hash) == entryHashLen && isPrevious(number, p.version)
}

// isPrevious reports whether a number is one of 1 to version-1 as we write them.
// strconv would take more.
func isPrevious[T string | []byte](number T, version int) bool {
	n := 0
	for i := range len(number) {
		d := int(number[i]) - '0'
		if n = 10*n + d; d < 0 || d > 9 || n == 0 || n >= version {
			return false
		}
	}
	return n > 0
}
