package restflow_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// recall asks for k by texts as a cache does: by what is known, or by the key, which
// is remembered if it leads to an entry.
func recall(t testing.TB, s *restflow.Store, texts string, k *restflow.Key) *restflow.Snapshot {
	t.Helper()
	var snap restflow.Snapshot
	if known := s.Recall([]byte(texts)); known != nil {
		require.Equal(t, string(k.Bytes), string(known.Key.Bytes))
		require.NoError(t, s.LoadKnown(t.Context(), known, &snap))
		return &snap
	}
	require.NoError(t, s.Load(t.Context(), k, &snap))
	if snap.Entry != nil {
		s.Remember([]byte(texts), k, snap.Entry, false)
	}
	return &snap
}

// recalled is the body that recall finds; pinned says that the store led to it
// without a search.
func recalled(t testing.TB, s *restflow.Store, texts string, k *restflow.Key) (body string, pinned bool) {
	t.Helper()
	known := s.Recall([]byte(texts))
	pinned = known != nil && known.Pinned()
	if e := recall(t, s, texts, k).Entry; e != nil {
		body = string(e.Body)
	}
	return body, pinned
}

// store fills k anew with a body.
func refill(t testing.TB, s *restflow.Store, k *restflow.Key, body string) {
	t.Helper()
	_, err := s.Replace(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
	require.NoError(t, err)
}

// warm asks until the store leads from texts to the entry.
func warm(t testing.TB, s *restflow.Store, texts string, k *restflow.Key) {
	t.Helper()
	for range 3 {
		recall(t, s, texts, k)
	}
	require.True(t, s.Recall([]byte(texts)).Pinned())
}

// What is known of a key never outlives what the store holds under it.
func TestKnownFollowsTheStore(t *testing.T) {
	k := groupKey("Known", "k", "1", "u")
	for name, c := range map[string]struct {
		change func(t *testing.T, s *restflow.Store)
		want   string
	}{
		"nothing": {func(*testing.T, *restflow.Store) {}, "old"},
		"a bump": {func(t *testing.T, s *restflow.Store) {
			require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[2]))
		}, ""},
		"a bump of all": {func(t *testing.T, s *restflow.Store) {
			require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[0]))
		}, ""},
		"a soft bump": {func(t *testing.T, s *restflow.Store) {
			require.NoError(t, s.BumpSoft(t.Context(), k.Scopes[0], time.Hour, k.Scopes[1]))
		}, ""},
		"a bump elsewhere": {func(t *testing.T, s *restflow.Store) { require.NoError(t, s.Bump(t.Context(), k.Scopes[0], 12345)) }, "old"},
		"a deletion":       {func(t *testing.T, s *restflow.Store) { require.NoError(t, s.Delete(t.Context(), k)) }, ""},
		"a new entry":      {func(t *testing.T, s *restflow.Store) { refill(t, s, k, "new") }, "new"},
		"bump and fill": {func(t *testing.T, s *restflow.Store) {
			require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[1]))
			refill(t, s, k, "new")
		}, "new"},
		"eviction": {func(t *testing.T, s *restflow.Store) {
			for i := range 2000 {
				refill(t, s, groupKey("Known", "other"+strconv.Itoa(i)), strings.Repeat("x", 1<<10))
			}
			require.Eventually(t, func() bool { return lookup(t, s, k) == "" }, 5*time.Second, time.Millisecond)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 1 << 20})
			opened(t, s, err)
			refill(t, s, k, "old")
			warm(t, s, "texts", k)
			c.change(t, s)
			body, _ := recalled(t, s, "texts", k)
			require.Equal(t, c.want, body)
			require.Empty(t, s.CheckKnown())
		})
	}
}

// An entry that has expired is no fresh one, however the store is led to it, and one
// in its stale window still is found.
func TestKnownExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t)
		k := groupKey("Known", "k", "1")
		_, err := s.Replace(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
			e := entryOf("body")
			e.Expires = e.Created + int64(time.Second)
			e.StaleUntil = e.Expires + int64(time.Second)
			return e
		})
		require.NoError(t, err)
		warm(t, s, "texts", k)
		time.Sleep(time.Second - time.Millisecond)
		snap := recall(t, s, "texts", k)
		require.True(t, snap.Entry.Fresh(snap.Now))
		time.Sleep(time.Millisecond)
		snap = recall(t, s, "texts", k)
		require.False(t, snap.Entry.Fresh(snap.Now))
		require.True(t, snap.Entry.Servable(snap.Now))
	})
}

// Entries with tags are looked at anew each time, since their tags are not among
// the epochs of the key.
func TestKnownTagsAreAsked(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1")
	_, err := s.Replace(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
		e, scopes := entryOf("body"), []restflow.Scope{restflow.TagScope("order:7"), restflow.AnyTag}
		epochs := make([]restflow.Epoch, 2)
		require.NoError(t, s.Epochs(t.Context(), scopes, epochs, true))
		e.Tags = []restflow.Tag{{Scope: scopes[0], Epoch: epochs[0]}, {Scope: scopes[1], Epoch: epochs[1]}}
		return e
	})
	require.NoError(t, err)
	for range 3 {
		body, pinned := recalled(t, s, "texts", k)
		require.Equal(t, "body", body)
		require.False(t, pinned)
	}
	require.NoError(t, s.InvalidateTags(t.Context(), "order:7"))
	body, _ := recalled(t, s, "texts", k)
	require.Empty(t, body)
}

// Keys of many partitions are looked up each time, and found as others are.
func TestKnownOfManyScopes(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1", "2", "3", "4", "5", "6", "7")
	refill(t, s, k, "old")
	for range 3 {
		body, pinned := recalled(t, s, "texts", k)
		require.Equal(t, "old", body)
		require.False(t, pinned)
	}
	require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[7]))
	body, _ := recalled(t, s, "texts", k)
	require.Empty(t, body)
}

// Any number of texts may give one key, as ?a=1&b=2 and ?b=2&a=1 do. The store leads
// there from some of them, and none of them sees what was deleted.
func TestKnownAliases(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1")
	refill(t, s, k, "old")
	const aliases = 40
	straight := 0
	for range 3 {
		straight = 0
		for i := range aliases {
			body, pinned := recalled(t, s, strconv.Itoa(i), k)
			require.Equal(t, "old", body)
			if pinned {
				straight++
			}
		}
	}
	require.Equal(t, 16, straight)
	require.Empty(t, s.CheckKnown())
	require.NoError(t, s.Delete(t.Context(), k))
	for i := range aliases {
		body, pinned := recalled(t, s, strconv.Itoa(i), k)
		require.Empty(t, body)
		require.False(t, pinned)
	}
	require.Empty(t, s.CheckKnown())
}

// A lookup that found the entry just before it was deleted leads nobody there.
func TestKnownOfAnEntryThatLeft(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1")
	refill(t, s, k, "old")
	found := snapshot(t, s, k).Entry
	require.NotNil(t, found)
	known := s.Remember([]byte("texts"), k, found, false)
	require.NoError(t, s.Delete(t.Context(), k))
	s.Lead(known, found)
	body, pinned := recalled(t, s, "texts", k)
	require.Empty(t, body)
	require.False(t, pinned)
}

// A request may hold a known key that was forgotten meanwhile. It takes no place among
// those that lead to the entry: nobody would ever take it back.
func TestKnownThatWasForgotten(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1")
	refill(t, s, k, "here")
	for range 20 { // more than may lead to one entry
		warm(t, s, "texts", k)
		held := s.Recall([]byte("texts"))
		s.ForgetKnown()
		var snap restflow.Snapshot
		require.NoError(t, s.LoadKnown(t.Context(), held, &snap))
		require.Equal(t, "here", string(snap.Entry.Body))
		require.False(t, held.Pinned())
	}
	require.Empty(t, s.CheckKnown())
}

// An entry that was over before it could be saved is not in the store, and nothing in
// the store keeps it.
func TestKnownOfAnEntryThatWasNotSaved(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Known", "k", "1")
	e, err := s.Replace(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
		e := entryOf("body")
		e.Expires, e.StaleUntil = e.Created+1, e.Created+1
		return e
	})
	require.NoError(t, err)
	known := s.Remember([]byte("texts"), k, e, false)
	s.Lead(known, e)
	require.False(t, known.Pinned())
	require.Nil(t, snapshot(t, s, k).Entry)
}

// A key that is too long is not remembered, and costs no other its place.
func TestKnownTooLong(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 1 << 20})
	opened(t, s, err)
	k := groupKey("Known", "k", "1")
	refill(t, s, k, "here")
	warm(t, s, "texts", k)
	for _, size := range []int{5 << 10, 2 << 20} {
		long := groupKey("Known", strings.Repeat("x", size), "1")
		for range 2 {
			require.Nil(t, s.Remember(long.Bytes, long, &restflow.Entry{Key: long.Bytes}, false))
		}
	}
	require.True(t, s.Recall([]byte("texts")).Pinned())
}

// Entries take the room that known keys had beyond their share, each as much as it
// needs.
func TestKnownMakeRoomForEntries(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 4 << 20})
	opened(t, s, err)
	long := strings.Repeat("x", 1000)
	for i := 0; s.KnownRoom() > 1<<20; i++ {
		k := groupKey("Known", strconv.Itoa(i)+long, "1")
		s.Remember(k.Bytes, k, &restflow.Entry{Key: k.Bytes}, false)
	}
	for i := range 3 {
		refill(t, s, groupKey("Large", strconv.Itoa(i)), strings.Repeat("x", 1<<20))
		require.Empty(t, s.CheckKnown())
	}
	require.Positive(t, s.KnownRoom())
}

// The memory of known keys is bounded by bytes, whatever is asked for, and keys
// that nobody else asks for leave alone those that are asked for all the time.
func TestKnownIsBounded(t *testing.T) {
	const size = 4 << 20 // and next to no entries
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: size})
	opened(t, s, err)
	hot := groupKey("Known", "hot", "1")
	refill(t, s, hot, "hot")
	warm(t, s, "hot", hot)
	long := strings.Repeat("x", 1000)
	for i := range 20_000 {
		k := groupKey("Known", strconv.Itoa(i)+long[:i%1000], "1")
		s.Remember(k.Bytes, k, &restflow.Entry{Key: k.Bytes}, false)
		if i%100 == 0 {
			body, _ := recalled(t, s, "hot", hot)
			require.Equal(t, "hot", body)
		}
	}
	require.NotNil(t, s.Recall([]byte("hot")))
	require.Empty(t, s.CheckKnown())
	require.Less(t, s.KnownRoom(), int64(size/2), "the room is used")

	late := groupKey("Known", "late", "1")
	for range 2 {
		s.Remember([]byte("late"), late, &restflow.Entry{Key: late.Bytes}, true)
	}
	require.True(t, s.Recall([]byte("late")).Note, "who comes twice in a row gets in")
	require.Empty(t, s.CheckKnown())
}

// An entry that is led to without a search counts as used: it stays where others go.
func TestKnownEntriesStay(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 1 << 20})
	opened(t, s, err)
	hot := groupKey("Known", "hot", "1")
	misses := 0
	for i := range 12_000 {
		if body, _ := recalled(t, s, "hot", hot); body == "" {
			misses++
			refill(t, s, hot, "hot")
		}
		k := groupKey("Known", strconv.Itoa(i), "1")
		refill(t, s, k, strings.Repeat("x", 1<<10))
		for range 8 { // and is left for good
			lookup(t, s, k)
		}
	}
	require.Less(t, misses, 4)
}

// Lookups, fills, deletions, evictions and bumps at once leave no key that leads to
// what has left the store, and nobody sees what was deleted before he asked.
func TestKnownUnderRaces(t *testing.T) {
	const size = 1 << 20
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: size})
	opened(t, s, err)
	var done sync.WaitGroup
	for g := range 4 * runtime.GOMAXPROCS(0) {
		done.Go(func() {
			mine := groupKey("Known", fmt.Sprint("mine", g), "1") // which nobody else changes
			for i := range 400 {
				k := groupKey("Known", strconv.Itoa(rand.IntN(200)), "1")
				switch rand.IntN(6) {
				case 0:
					refill(t, s, k, strings.Repeat("x", 1<<10))
				case 1:
					require.NoError(t, s.Delete(t.Context(), k))
				case 2:
					require.NoError(t, s.Bump(t.Context(), 99, k.Scopes[1]))
				default:
					for _, texts := range []string{"a", "b"} {
						recall(t, s, texts+string(k.Bytes), k)
					}
				}
				body := strconv.Itoa(i)
				refill(t, s, mine, body)
				for range 3 {
					if got, _ := recalled(t, s, string(mine.Bytes), mine); got != "" { // evicted or bumped
						require.Equal(t, body, got)
					}
				}
				require.NoError(t, s.Delete(t.Context(), mine))
				got, _ := recalled(t, s, string(mine.Bytes), mine)
				require.Empty(t, got)
			}
		})
	}
	done.Wait()
	require.Empty(t, s.CheckKnown())
}

// A known key is asked for under names that were worked out once.
func TestKnownOnOtherStores(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		k := groupKey("Known", "k", "1", "u")
		refill(t, s, k, "old")
		for range 3 {
			body, _ := recalled(t, s, "texts", k)
			require.Equal(t, "old", body)
		}
		require.NotNil(t, s.Recall([]byte("texts")))
		require.NoError(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes[1]))
		body, _ := recalled(t, s, "texts", k)
		require.Empty(t, body)
		refill(t, s, k, "new")
		body, _ = recalled(t, s, "texts", k)
		require.Equal(t, "new", body)
	})
}
