// Package lifetime decides when entries expire, for response caches and for
// functions alike.
package lifetime
