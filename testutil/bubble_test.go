package testutil_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/testutil"
)

// What the package says about time works: an hour passes at once.
func TestRunInABubbleOfTime(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		rec := testutil.NewRecorder()
		cache := echocache.MustNew[PageKey](echocache.Config{Store: store, TTL: time.Hour, OnEvent: rec.OnEvent})
		e := echo.New()
		e.GET("/pages/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, cache.Middleware)
		wait := func(d time.Duration) testutil.Step {
			return testutil.Step{Do: func(testing.TB) { time.Sleep(d) }}
		}
		testutil.Run(t, e, rec, []testutil.Step{
			{Request: "GET /pages/1", Want: restflow.Miss, WantStatus: http.StatusNoContent},
			wait(time.Hour - time.Nanosecond),
			{Name: "at the last moment", Request: "GET /pages/1", Want: restflow.Hit},
			wait(time.Nanosecond),
			{Name: "over", Request: "GET /pages/1", Want: restflow.Miss},
		})
	})
	require.Less(t, time.Since(began), time.Minute)
}
