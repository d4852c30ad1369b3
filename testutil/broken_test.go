package testutil_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/testutil"
)

// mapStore is a gocache store that hooks can break.
type mapStore struct {
	mu     sync.Mutex
	m      map[string]any
	set    func(s *mapStore, key string, v any)
	get    func(s *mapStore, key string) (any, bool)
	delete func(s *mapStore, key string)
}

func isEntry(key string) bool { return strings.Contains(key, ":e:") }

func (s *mapStore) Get(_ context.Context, key any) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.get(s, key.(string))
	if !ok {
		return nil, store.NotFoundWithCause(errors.New("absent"))
	}
	return v, nil
}

func (s *mapStore) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	v, err := s.Get(ctx, key)
	return v, time.Hour, err
}

func (s *mapStore) Set(_ context.Context, key, value any, _ ...store.Option) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(s, key.(string), value)
	return nil
}

func (s *mapStore) Delete(_ context.Context, key any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delete(s, key.(string))
	return nil
}

func (s *mapStore) Invalidate(context.Context, ...store.InvalidateOption) error { return nil }
func (s *mapStore) Clear(context.Context) error                                 { return nil }
func (s *mapStore) GetType() string                                             { return "map" }

func newMapStore() *mapStore {
	return &mapStore{
		m:      map[string]any{},
		set:    func(s *mapStore, key string, v any) { s.m[key] = v },
		get:    func(s *mapStore, key string) (any, bool) { v, ok := s.m[key]; return v, ok },
		delete: func(s *mapStore, key string) { delete(s.m, key) },
	}
}

// broken holds what can be wrong with a store, and a part of the suite that has
// to find it.
var broken = map[string]struct {
	found string // "" if the store is in order
	spoil func(s *mapStore)
}{
	"in order": {"", func(*mapStore) {}},
	"drops entries": {"entries_come_back_as_they_were_saved", func(s *mapStore) {
		s.set = func(s *mapStore, key string, v any) {
			if !isEntry(key) {
				s.m[key] = v
			}
		}
	}},
	"mixes values up": {"the_full_key_is_compared", func(s *mapStore) {
		s.set = func(s *mapStore, key string, v any) {
			if isEntry(key) {
				s.m["last"] = v
			}
			s.m[key] = v
		}
		s.get = func(s *mapStore, key string) (any, bool) {
			if isEntry(key) {
				key = "last"
			}
			v, ok := s.m[key]
			return v, ok
		}
	}},
	"cuts values": {"entries_come_back_as_they_were_saved", func(s *mapStore) {
		s.set = func(s *mapStore, key string, v any) {
			b := v.([]byte)
			s.m[key] = b[:min(len(b), 1000)]
		}
	}},
	"keeps what it is to delete": {"T1_a_late_fill_lands_dead", func(s *mapStore) {
		s.delete = func(*mapStore, string) {}
	}},
	"deletes late": {"a_bump_drops_its_group_and_no_other", func(s *mapStore) {
		s.delete = func(s *mapStore, key string) {
			time.AfterFunc(20*time.Millisecond, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.m, key)
			})
		}
	}},
	"deletes all": {"a_bump_drops_its_group_and_no_other", func(s *mapStore) {
		s.delete = func(s *mapStore, _ string) { clear(s.m) }
	}},
	"brings old epochs back": {"epochs_exist_once_they_were_asked_for", func(s *mapStore) {
		first := map[string]any{}
		s.set = func(s *mapStore, key string, v any) {
			if old, ok := first[key]; ok && !isEntry(key) {
				v = old
			}
			first[key], s.m[key] = v, v
		}
	}},
	"never keeps epochs": {"epochs_exist_once_they_were_asked_for", func(s *mapStore) {
		s.set = func(s *mapStore, key string, v any) {
			if isEntry(key) {
				s.m[key] = v
			}
		}
	}},
	"reads from a snapshot": {"never_older_than_the_last_invalidation", func(s *mapStore) {
		var snapshot map[string]any
		reads := 0
		s.get = func(s *mapStore, key string) (any, bool) {
			if reads++; reads%64 == 1 { // by count: time is no measure on a busy machine
				snapshot = maps.Clone(s.m)
			}
			v, ok := snapshot[key]
			return v, ok
		}
	}},
}

// The suite is run on broken stores in processes of their own, where it may fail.
const brokenEnv = "RESTFLOW_BROKEN_STORE"

func TestBrokenStore(t *testing.T) {
	fault, ok := broken[os.Getenv(brokenEnv)]
	if !ok {
		t.Skip("run by TestSuiteFindsBrokenStores")
	}
	open := func(t *testing.T, s *mapStore) *restflow.Store {
		rs, err := restflow.NewStore(s, restflow.StoreConfig{Kind: restflow.Shared, Timeout: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { _ = rs.Close() })
		return rs
	}
	spoilt := func() *mapStore {
		s := newMapStore()
		fault.spoil(s)
		return s
	}
	testutil.TestStore(t, func(t *testing.T) *restflow.Store { return open(t, spoilt()) })
	testutil.TestSharedStore(t, func(t *testing.T) (a, b *restflow.Store) {
		s := spoilt()
		return open(t, s), open(t, s)
	})
}

func TestSuiteFindsBrokenStores(t *testing.T) {
	for name, fault := range broken {
		t.Run(name, func(t *testing.T) {
			part := "" // all of them, or the one that finds it: others may wait long for what never comes
			if fault.found != "" {
				part = "/^" + fault.found + "$"
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestBrokenStore$"+part, "-test.short", "-test.count=1", "-test.v")
			cmd.Env = append(os.Environ(), brokenEnv+"="+name)
			out, err := cmd.CombinedOutput()
			if fault.found == "" {
				require.NoError(t, err, string(out))
				return
			}
			require.Error(t, err)
			require.Contains(t, string(out), "--- FAIL: TestBrokenStore/"+fault.found)
		})
	}
}
