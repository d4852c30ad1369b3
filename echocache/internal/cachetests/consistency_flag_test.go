package main

// Gives this package's tests the flag -consistency.duration, so that one command
// can run the checkers of all packages longer.
import _ "github.com/restflow-go/restflow/internal/consistency"
