package restflow_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func TestFuncPredicates(t *testing.T) {
	type marker struct{}
	big := func(ctx context.Context, v total) (bool, error) {
		if ctx.Value(marker{}) == nil {
			return false, errors.New("not the caller's context")
		}
		return v.N >= 10, nil
	}
	fails := func(context.Context, total) (bool, error) { return true, errors.New("cannot tell") }
	for name, tt := range map[string]struct {
		edit func(*restflow.FuncConfig[total])
		k    sum
		want string
	}{
		"CacheIf says yes":     {func(c *restflow.FuncConfig[total]) { c.CacheIf = big }, sum{A: 10}, "MISS stored"},
		"CacheIf says no":      {func(c *restflow.FuncConfig[total]) { c.CacheIf = big }, sum{A: 1}, "MISS because CacheIf"},
		"CacheUnless says yes": {func(c *restflow.FuncConfig[total]) { c.CacheUnless = big }, sum{A: 10}, "MISS because CacheUnless"},
		"CacheUnless says no":  {func(c *restflow.FuncConfig[total]) { c.CacheUnless = big }, sum{A: 1}, "MISS stored"},
		"CacheIf fails":        {func(c *restflow.FuncConfig[total]) { c.CacheIf = fails }, sum{}, "MISS because CacheIf failed: cannot tell"},
		"CacheUnless fails":    {func(c *restflow.FuncConfig[total]) { c.CacheUnless = fails }, sum{}, "MISS because CacheUnless failed: cannot tell"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _, ev := newAdder(t, memoryFor(t), tt.edit)
			v, err := f.Call(context.WithValue(t.Context(), marker{}, 1), tt.k)
			require.NoError(t, err)
			require.Equal(t, tt.k.A, v.N)
			require.Equal(t, []string{tt.want}, ev.take())
		})
	}
}
