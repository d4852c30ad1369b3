// Package tagkey turns the tags of a key struct into cache keys.
package tagkey
