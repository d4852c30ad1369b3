// Package restflow is here for a rule to look at.
package restflow

func Bare() {}

// Told does nothing.
func Told() {}

func hidden() {}

type Store struct {
	Bare int

	// First and Second are told together.
	First  int
	Second int

	Parted int
	Told   int // in a trailing comment
	hidden int
}

func (s *Store) Bare() {}

// Told does nothing.
func (s *Store) Told() {}

// Three tells its fields here.
type Three struct {
	A, B int
	C    int
}

type plain struct{ Field int }

func (plain) Method() {}

// Pair has type parameters.
type Pair[K comparable, V any] struct{}

func (p *Pair[K, V]) Bare() {}

type (
	// Loader is told.
	Loader interface {
		Load()
		// Told is told.
		Told()
	}
	Func func()
)

// The limits are told as a group.
const (
	Low  = 1
	High = 2
)

const Bare1, bare2, Bare3 = 1, 2, 3

var (
	Named = 1 // in a trailing comment
	Mute  = 2
)
