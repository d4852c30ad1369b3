package restflow

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// The weight is an estimate that follows what a value leads to.
func TestWeight(t *testing.T) {
	type inner struct {
		Name   string
		hidden []byte
	}
	type node struct{ Next *node }
	ring := &node{}
	ring.Next = ring
	kilo := strings.Repeat("x", 1000)
	many := make([]string, 10_000)
	for i := range many {
		many[i] = kilo[:100]
	}
	word := int(unsafe.Sizeof(uintptr(0)))
	for name, tt := range map[string]struct {
		value    any
		min, max int
	}{
		"a number":            {int64(1), 8, 8},
		"a string":            {kilo, 2*word + 1000, 2*word + 1000},
		"bytes":               {make([]byte, 10, 500), 500, 600},
		"a nil slice":         {[]int(nil), 3 * word, 3 * word},
		"a nil pointer":       {(*inner)(nil), word, word},
		"a nil map":           {map[string]int(nil), word, word},
		"a pointer":           {&inner{Name: kilo}, 1000, 1100},
		"a nil in an any":     {[]any{nil}, 40, 60},
		"an any":              {[]any{kilo}, 1000, 1100},
		"an array":            {[2]string{kilo, kilo}, 2000, 2100},
		"a map":               {map[string]string{"a": kilo, "b": kilo}, 2000, 2200},
		"a map of numbers":    {map[int]int{1: 1, 2: 2}, 60, 100},
		"many of one size":    {many, 1_100_000, 1_300_000},
		"what is hidden":      {inner{hidden: make([]byte, 1<<20)}, 40, 64},
		"a ring":              {ring, 16, 1000},
		"slices all the way":  {[][]string{{kilo}, {kilo, kilo}}, 3000, 3300},
		"a slice of pointers": {[]*inner{{Name: kilo}, nil, {Name: kilo}}, 2000, 2300},
	} {
		t.Run(name, func(t *testing.T) {
			v := reflect.ValueOf(tt.value)
			require.GreaterOrEqual(t, weight(v), tt.min)
			require.LessOrEqual(t, weight(v), tt.max)
		})
	}
}

// A walk is bounded, however large and however branched a value is.
func TestWeightEnds(t *testing.T) {
	type tree struct{ Left, Right *tree }
	grow := func() *tree { return &tree{} }
	root := grow()
	for range 100 { // 2^100 paths
		root = &tree{root, root}
	}
	w := scale{left: 4096}
	w.beyond(reflect.ValueOf(root), 0)
	require.Negative(t, w.left)
	require.Less(t, weight(reflect.ValueOf(root)), 1<<20)
}
