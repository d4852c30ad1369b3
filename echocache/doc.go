// Package echocache caches the responses of Echo handlers by declaration.
package echocache
