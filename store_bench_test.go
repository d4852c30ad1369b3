package restflow_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// page is an entry of the size of a common API answer: 2 KiB and five fields.
func page() *restflow.Entry {
	e := entryOf(string(make([]byte, 2<<10)))
	for _, name := range []string{"Content-Type", "Content-Language", "Last-Modified", "Link", "Vary"} {
		e.Header = append(e.Header, restflow.Field{Name: name, Values: []string{"a value of some length"}})
	}
	return e
}

func fillPage(t testing.TB, s *restflow.Store, k *restflow.Key) {
	t.Helper()
	_, _, err := s.Fill(context.Background(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry { return page() })
	require.NoError(t, err)
}

// A hit in memory allocates nothing.
func TestMemoryHitAllocatesNothing(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Allocs", "k", "1", "u", "1u")
	fillPage(t, s, k)
	var snap restflow.Snapshot
	ctx := context.Background()
	allocs := testing.AllocsPerRun(1000, func() {
		if err := s.Load(ctx, k, &snap); err != nil || snap.Entry == nil {
			t.Errorf("not a hit: %v", err)
		}
	})
	require.Zero(t, allocs)
}

// Naming a group allocates nothing.
func TestScopesAllocateNothing(t *testing.T) {
	all, fields := restflow.CacheScope("UserDetail"), []byte("\x0242")
	groups := []restflow.Scope{1, 2}
	var sink restflow.Scope
	allocs := testing.AllocsPerRun(1000, func() {
		sink ^= restflow.GroupScope(all, fields) ^ restflow.TupleScope(groups) ^ restflow.TagScope("order:7") ^ restflow.CacheScope("UserDetail")
	})
	require.Zero(t, allocs)
}

func BenchmarkMemoryHit(b *testing.B) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	opened(b, s, err)
	k := groupKey("Bench", "k", "1", "u", "1u")
	fillPage(b, s, k)
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var snap restflow.Snapshot
		for pb.Next() {
			if err := s.Load(ctx, k, &snap); err != nil || snap.Entry == nil {
				b.Errorf("not a hit: %v", err)
				return
			}
		}
	})
}

func BenchmarkMemoryFill(b *testing.B) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	opened(b, s, err)
	ctx := context.Background()
	keys := make([]*restflow.Key, 1024)
	for i := range keys {
		keys[i] = groupKey("Bench", strconv.Itoa(i), strconv.Itoa(i), "u", "1u")
	}
	e := page()
	b.ReportAllocs()
	var snap restflow.Snapshot
	for i := 0; b.Loop(); i++ {
		k := keys[i%len(keys)]
		made := *e
		if err := s.Load(ctx, k, &snap); err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry { return &made }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryBump(b *testing.B) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	opened(b, s, err)
	k := groupKey("Bench", "k", "1", "u", "1u")
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Bump(ctx, k.Scopes[0], k.Scopes[1]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeEntry(b *testing.B) {
	e := page()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = restflow.AppendEntry(dst[:0], e, 0)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkDecodeEntry(b *testing.B) {
	raw := restflow.AppendEntry(nil, page(), 0)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := restflow.DecodeEntry(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScopes(b *testing.B) {
	all, fields := restflow.CacheScope("UserDetail"), []byte("\x0242")
	groups := []restflow.Scope{all, all}
	b.ReportAllocs()
	for b.Loop() {
		groups[0], groups[1] = restflow.GroupScope(all, fields), restflow.GroupScope(all, fields[1:])
		all ^= restflow.TupleScope(groups)
	}
}

func BenchmarkRedisHit(b *testing.B) {
	s := openRedis(b, redistest.Start(b).Client())
	k := groupKey("Bench", "k", "1", "u", "1u")
	fillPage(b, s, k)
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var snap restflow.Snapshot
		for pb.Next() {
			if err := s.Load(ctx, k, &snap); err != nil || snap.Entry == nil {
				b.Errorf("not a hit: %v", err)
				return
			}
		}
	})
}
