package signals_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"reflect"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// Base is embedded, as gorm.Model is.
type Base struct {
	ID      int64
	Deleted sql.NullTime
}

// User is the model of most tests.
type User struct {
	Base
	Name    string
	Email   string
	Age     int
	TeamID  *int64
	Owner   *Owner
	Address Address
	Alias   sql.NullString
	Score   float64
	Tags    []string
	Active  bool
	secret  string
}

// Owner is an association behind a pointer.
type Owner struct{ ID int64 }

// Address is a named struct that is no pointer.
type Address struct{ City string }

// Team has no rules in most tests.
type Team struct{ ID int64 }

// UserKey is the key struct of the target in most tests.
type UserKey struct {
	PK   int64
	Team int64
	User string
	Page int
}

func userTarget() signals.TargetInfo {
	return describe[UserKey]("UserDetail", "PK:pk*", "Team:team*", "User:user.id*", "Page:page")
}

// describe builds a description from "Field:name" with a star for partition fields.
func describe[K any](name string, fields ...string) signals.TargetInfo {
	info := signals.TargetInfo{Name: name, KeyType: reflect.TypeFor[K]()}
	for _, spec := range fields {
		goName, key, _ := strings.Cut(spec, ":")
		key, partition := strings.CutSuffix(key, "*")
		f, ok := info.KeyType.FieldByName(goName)
		if !ok {
			panic("no field " + goName)
		}
		info.Fields = append(info.Fields, signals.TargetField{Name: key, Type: f.Type, Partition: partition, Index: f.Index})
	}
	return info
}

// recorder is a target that writes down what it is asked to do, each Drop as one line:
// "pk=1 | team=2" or "all".
type recorder struct {
	info signals.TargetInfo
	fail error  // what Drop returns
	hook func() // called by Drop before it notes anything
	ctx  context.Context

	mu       sync.Mutex
	drops    []string
	rewarmed []string
}

func newRecorder() *recorder { return &recorder{info: userTarget()} }

func (r *recorder) Describe() signals.TargetInfo { return r.info }

func (r *recorder) Drop(ctx context.Context, groups []signals.Group) error {
	if r.hook != nil {
		r.hook()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var texts []string
	for _, g := range groups {
		texts = append(texts, r.text(g))
	}
	r.ctx = ctx
	r.drops = append(r.drops, strings.Join(texts, " | "))
	return r.fail
}

func (r *recorder) text(g signals.Group) string {
	soft := ""
	if g.Soft != 0 {
		soft = " softly for " + g.Soft.String()
	}
	if g.All {
		return "all" + soft
	}
	var parts []string
	for _, name := range g.Names {
		for _, f := range r.info.Fields {
			if f.Name == name {
				v := reflect.ValueOf(g.Key).Elem().FieldByIndex(f.Index)
				for v.Kind() == reflect.Pointer && !v.IsNil() {
					v = v.Elem()
				}
				parts = append(parts, fmt.Sprintf("%s=%v", name, v))
			}
		}
	}
	return strings.Join(parts, " ") + soft
}

// take returns the drops since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	drops := r.drops
	r.drops = nil
	return drops
}

// sorted returns the groups of all drops, sorted, for tests of concurrent work.
func (r *recorder) sorted() []string {
	var all []string
	for _, d := range r.take() {
		all = append(all, strings.Split(d, " | ")...)
	}
	sort.Strings(all)
	return all
}

// warmer is a recorder that can rewarm.
type warmer struct {
	*recorder
	warmFail error
}

func newWarmer() *warmer {
	w := &warmer{recorder: newRecorder()}
	w.info.Rewarm = true
	return w
}

func (w *warmer) Rewarm(_ context.Context, keys []any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range keys {
		w.rewarmed = append(w.rewarmed, fmt.Sprintf("%+v", reflect.ValueOf(k).Elem()))
	}
	return w.warmFail
}

// reports gathers what a bus reports.
type reports struct {
	mu    sync.Mutex
	texts []string
	log   bytes.Buffer
}

func (r *reports) config() signals.BusConfig {
	return signals.BusConfig{
		Logger: slog.New(slog.NewTextHandler(r, nil)),
		OnError: func(_ context.Context, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.texts = append(r.texts, err.Error())
		},
	}
}

func (r *reports) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *reports) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := r.texts
	r.texts = nil
	return texts
}

// wire makes a bus with rules on a recorder; nothing may be reported unless the test takes it.
func wire(t testing.TB, rules ...signals.Rule) (*signals.Bus, *recorder, *reports) {
	t.Helper()
	heard := &reports{}
	bus := signals.NewBus(heard.config())
	target := newRecorder()
	require.NoError(t, bus.Bind(target, rules...))
	t.Cleanup(func() { require.Empty(t, heard.take(), "unexpected reports") })
	return bus, target, heard
}

func mapped(key, path string) signals.Rule {
	return signals.Rule{Model: User{}, Map: map[string]string{key: path}}
}

func user(id int64) *User { return &User{Base: Base{ID: id}} }

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func typeOfValue(v any) reflect.Type { return reflect.TypeOf(v) }
