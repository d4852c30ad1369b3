package consistency_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// op is a step of a program.
type op struct {
	kind    kind
	a, b, c int
}

type kind int

const (
	read       kind = iota // node a reads item b as user c; the handler is held up
	proceed                // the a-th handler or save that is held up goes one gate on
	invalidate             // node a invalidates: b and c choose the group
	commit                 // node a commits a change of item b and invalidates it at once
	soften                 // the same, softly: c chooses the window
	evict                  // the store loses the a-th of its keys
	empty                  // the store loses everything
	sleep                  // time passes
	cut                    // node a cannot reach the store, or can again
	restart                // node a starts anew
	slow                   // what node a saves is held up, or no longer
	kinds
)

var kindNames = [...]string{"read", "proceed", "invalidate", "commit", "soften", "evict", "empty", "sleep", "cut", "restart", "slow"}

func (o op) String() string { return fmt.Sprintf("%s(%d,%d,%d)", kindNames[o.kind], o.a, o.b, o.c) }

type program []op

func (p program) String() string {
	lines := make([]string, len(p))
	for i, o := range p {
		lines[i] = fmt.Sprintf("%3d %v", i, o)
	}
	return strings.Join(lines, "\n")
}

// weights say how often each kind is drawn.
var weights = [kinds]int{read: 30, proceed: 30, invalidate: 10, commit: 10, soften: 10, evict: 6, empty: 1, sleep: 4, cut: 2, restart: 1, slow: 3}

// programs draws programs of 20 to 150 steps.
func programs() *rapid.Generator[program] {
	var bag []kind
	for k, n := range weights {
		for range n {
			bag = append(bag, kind(k))
		}
	}
	step := rapid.Custom(func(t *rapid.T) op {
		small := rapid.IntRange(0, 7)
		return op{rapid.SampledFrom(bag).Draw(t, "kind"), small.Draw(t, "a"), small.Draw(t, "b"), small.Draw(t, "c")}
	})
	return rapid.Custom(func(t *rapid.T) program { return rapid.SliceOfN(step, 20, 150).Draw(t, "program") })
}
