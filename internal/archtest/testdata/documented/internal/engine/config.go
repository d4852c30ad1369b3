// Package engine is here for a rule to look at.
package engine

// Config tells its fields elsewhere.
type Config struct{ A, B, C, D int }

// Loader is told, and with it its only method.
type Loader interface {
	Load()
}

// Saver is told, but its methods are not.
type Saver interface {
	Save()
	Sync()
}
