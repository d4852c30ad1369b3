package restflow

import (
	"math"
	"reflect"
	"slices"
	"strconv"
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
	var grow func(levels int) *tree
	grow = func(levels int) *tree {
		if levels == 0 {
			return nil
		}
		return &tree{grow(levels - 1), grow(levels - 1)}
	}
	root := grow(13)
	w := scale{left: 4096}
	w.beyond(reflect.ValueOf(root), 0)
	require.Negative(t, w.left)
	require.Less(t, weight(reflect.ValueOf(root)), 1<<18)

	root = nil
	for range 100 { // 2^100 paths
		root = &tree{root, root}
	}
	require.Less(t, weight(reflect.ValueOf(root)), 1000, "what several paths lead to weighs once")
}

// member leads back to what leads to it, as models with relations do.
type member struct {
	Name string
	Team *team
}

type team struct{ Members []*member }

// Values that lead back to what they are reached by weigh as much as there is of them.
func TestWeightOfBackPointers(t *testing.T) {
	for _, n := range []int{1, 10, 32, 33, 64, 65, 200, 10_000} {
		all := &team{}
		for i := range n {
			all.Members = append(all.Members, &member{strconv.Itoa(1_000_000 + i), all})
		}
		all.Members = slices.Clip(all.Members)
		const word = int(unsafe.Sizeof(uintptr(0)))
		own, each := word+8+3*word+8, word+8+3*word+7
		require.Equal(t, own+n*each, weight(reflect.ValueOf(all)), n)
	}
}

// What the elements of a long slice share is not taken for the own of each.
func TestWeightOfWhatElementsShare(t *testing.T) {
	type page struct{ Site *string }
	site := strings.Repeat("x", 1<<20)
	pages := make([]page, 10_000)
	for i := range pages {
		pages[i].Site = &site
	}
	require.InDelta(t, 1<<20, weight(reflect.ValueOf(pages)), 200_000)
}

// Nothing is so long that its size overflows.
func TestWeightOfTheLongest(t *testing.T) {
	require.Less(t, weight(reflect.ValueOf(make([]struct{}, math.MaxInt))), 100)
	require.Less(t, weight(reflect.ValueOf([math.MaxInt]struct{}{})), 100)
}
