package redistest_test

import "time"

// How long a test waits for what a server does by itself, and how often it looks.
const (
	longEnough = 60 * time.Second
	tick       = 20 * time.Millisecond
)
