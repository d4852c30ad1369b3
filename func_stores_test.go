package restflow_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// onStores runs a test of functions on a store that keeps values as they are, on
// one that keeps bytes in this process, and on one that other processes share.
func onStores(t *testing.T, test func(t *testing.T, s *restflow.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memoryFor(t)) })
	t.Run("gocache", func(t *testing.T) {
		s, err := restflow.NewStore(go_cache.NewGoCache(gocache.New(0, 0)), restflow.StoreConfig{Kind: restflow.InProcess})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		test(t, s)
	})
	t.Run("redis", func(t *testing.T) { test(t, redisFor(t, redistest.Start(t))) })
}

func memoryFor(t testing.TB) *restflow.Store {
	t.Helper()
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func redisFor(t testing.TB, server *redistest.Server) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// sum is the key struct of most tests: two partition fields and one that is none.
type sum struct {
	_    struct{} `restflow:"namespace,Sum"`
	A    int      `restflow:"arg,a,partition"`
	B    int      `restflow:"arg,b,partition"`
	Note string
}

// total is a result with something to change in it.
type total struct {
	N     int
	Parts []int
}

// adder is a function whose runs are counted and whose outcome can be chosen.
type adder struct {
	mu   sync.Mutex
	runs int
	fail error
}

func (a *adder) add(_ context.Context, s sum) (total, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs++
	if a.fail != nil {
		return total{}, a.fail
	}
	return total{N: s.A + s.B, Parts: []int{s.A, s.B}}, nil
}

func (a *adder) failing(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}

func (a *adder) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs
}

// events keeps what OnEvent is told, as lines.
type events struct {
	mu    sync.Mutex
	lines []string
}

func (e *events) on(_ context.Context, ev restflow.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	line := ev.Status.String()
	if ev.Background {
		line += " alone"
	}
	if ev.Stored {
		line += " stored"
	}
	if ev.Shared {
		line += " shared"
	}
	if ev.Reason != "" {
		line += " because " + ev.Reason
	}
	if ev.Err != nil {
		line += fmt.Sprintf(": %v", ev.Err)
	}
	e.lines = append(e.lines, line)
}

// take returns what was told since the last take.
func (e *events) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := e.lines
	e.lines = nil
	return lines
}

// newAdder returns a cached adder on s.
func newAdder(t testing.TB, s *restflow.Store, edit ...func(*restflow.FuncConfig[total])) (*restflow.Func[sum, total], *adder, *events) {
	t.Helper()
	var a adder
	var ev events
	cfg := restflow.FuncConfig[total]{Store: s, Name: "add", OnEvent: ev.on}
	for _, f := range edit {
		f(&cfg)
	}
	f, err := restflow.NewFunc(cfg, a.add)
	require.NoError(t, err)
	return f, &a, &ev
}

// answer serves a GET request.
func answer(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}
