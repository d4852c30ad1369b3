// Package restflow is here for a rule to look at.
package restflow

// Compile panics where it must not.
func Compile() {
	defer func() {
		panic("in a closure")
	}()
	panic("in the open")
}

// MustCompile may panic.
func MustCompile() {
	func() { panic("fine") }()
}

func mustParse() { panic("fine") }

var handler = func() { panic("in a variable") }
