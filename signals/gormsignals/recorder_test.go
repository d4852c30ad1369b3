package gormsignals_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// recorder is what all targets of a test write to.
type recorder struct {
	second *sql.DB

	mu     sync.Mutex // protects what follows
	drops  []string
	calls  int
	check  string // a query that gives more than zero when the write is visible
	unseen int    // drops before that
	err    error
}

// take returns the groups dropped since the last take, sorted and without duplicates.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.drops)
	drops := slices.Compact(r.drops)
	r.drops, r.calls = nil, 0
	return drops
}

func (r *recorder) record(groups []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.drops = append(r.drops, groups...)
	if r.check != "" {
		var n int
		if err := r.second.QueryRow(r.check).Scan(&n); err != nil || n == 0 {
			r.unseen++
		}
	}
	return r.err
}

// cache is a target whose key has the integer partition fields of K.
type cache[K any] struct {
	name string
	*recorder
}

func (c *cache[K]) Describe() signals.TargetInfo {
	t := reflect.TypeFor[K]()
	info := signals.TargetInfo{Name: c.name, KeyType: t}
	for i := range t.NumField() {
		f := t.Field(i)
		info.Fields = append(info.Fields, signals.TargetField{Name: strings.ToLower(f.Name), Type: f.Type, Partition: true, Index: f.Index})
	}
	return info
}

func (c *cache[K]) Drop(_ context.Context, groups []signals.Group) error {
	lines := make([]string, len(groups))
	for i, g := range groups {
		lines[i] = c.name + " " + c.text(g)
	}
	return c.record(lines)
}

// text prints a group. Keys above 100 are of rows that the test has made.
func (c *cache[K]) text(g signals.Group) string {
	if g.All {
		return "all"
	}
	parts := make([]string, len(g.Names))
	for i, name := range g.Names {
		v := reflect.ValueOf(g.Key).Elem().FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) }).Int()
		parts[i] = fmt.Sprintf("%s=%d", name, v)
		if v > 100 {
			parts[i] = name + "=new"
		}
	}
	return strings.Join(parts, ",")
}

type (
	userKey   struct{ PK, Team int64 }
	petKey    struct{ Owner int64 }
	memberKey struct{ User, Group int64 }
)

// listening returns a bus with the rules of the matrix: users by key and by team, pets by owner,
// memberships by user and group.
func listening(t testing.TB, second *sql.DB) (*signals.Bus, *recorder) {
	t.Helper()
	r := &recorder{second: second}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(&cache[userKey]{"user", r},
		signals.Rule{Model: User{}, Name: "by key", Map: map[string]string{"pk": "ID"}},
		signals.Rule{Model: User{}, Name: "by team", Map: map[string]string{"team": "TeamID"}}))
	require.NoError(t, bus.Bind(&cache[petKey]{"pet", r}, signals.Rule{Model: Pet{}, Map: map[string]string{"owner": "UserID"}}))
	require.NoError(t, bus.Bind(&cache[memberKey]{"member", r},
		signals.Rule{Model: UserGroup{}, Map: map[string]string{"user": "UserID", "group": "GroupID"}}))
	return bus, r
}
