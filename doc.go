// Package restflow caches by declaration: a key struct says what a response or
// the result of a function depends on, and committed changes of models drop
// exactly the entries that depend on them.
package restflow
