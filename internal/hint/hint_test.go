package hint_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/hint"
)

func TestTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table hint.Table
		table.Init()
		a, b := []byte("a"), []byte("b")
		require.False(t, table.Has(a))
		table.Set(a, false)
		require.False(t, table.Has(a))
		table.Set(a, true)
		require.True(t, table.Has(a))
		require.False(t, table.Has(b))
		table.Set(a, false)
		require.False(t, table.Has(a), "a later answer that could be stored ends it")

		table.Set(a, true)
		time.Sleep(hint.Life - 1)
		require.True(t, table.Has(a))
		time.Sleep(time.Nanosecond)
		require.False(t, table.Has(a), "so does time")
	})
}

// Keys that share a slot push each other out, and none is taken for another.
func TestTableIsFixed(t *testing.T) {
	var table hint.Table
	table.Init()
	key := func(i int) []byte { return fmt.Append(nil, "key", i) }
	for i := range 20_000 {
		table.Set(key(i), true)
	}
	known := 0
	for i := range 20_000 {
		if table.Has(key(i)) {
			known++
		}
		require.False(t, table.Has(key(-1-i)))
	}
	require.Greater(t, known, 3000)
	require.LessOrEqual(t, known, 4096)
}

func TestTableUnderContention(t *testing.T) {
	var table hint.Table
	table.Init()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 1000 {
				table.Set([]byte{byte(n)}, i%2 == 0)
				table.Has([]byte{byte(n)})
			}
		})
	}
	wg.Wait()
	table.Set([]byte{1}, true)
	require.True(t, table.Has([]byte{1}))
}
