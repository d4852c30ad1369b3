package restflow

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// MaxScopes is the largest number of scopes that one key carries: the whole
// cache, each partition field's value, and the tuple.
const MaxScopes = 8

// MaxTags is the largest number of tags on one entry, AnyTag and ManyTags
// included. Those beyond it collapse into ManyTags.
const MaxTags = 8

// Scope names a group of entries that one bump drops. It is a stable hash, the
// same in every process and release. Two groups that share a Scope are dropped
// together, which costs misses and nothing else.
type Scope uint64

// Epoch stands for one life of a scope. Epochs are random and compared for
// equality only. Zero means absent, and an absent epoch means miss.
type Epoch uint64

// coarse marks the scopes of whole caches. They stand apart from those of
// values, since a value that shared one would empty a whole cache with each bump.
const coarse Scope = 1 << 63

// CacheScope is the scope of every entry under a namespace.
func CacheScope(namespace string) Scope {
	return Scope(xxhash.Sum64String(namespace)) | coarse
}

// GroupScope is the scope of the entries under a namespace whose encoded
// partition fields are fields. The namespace's CacheScope seeds it.
func GroupScope(cache Scope, fields []byte) Scope {
	// The seed is mixed in by multiplication with an odd constant, so that
	// equal fields under two namespaces differ.
	return Scope(xxhash.Sum64(fields)^uint64(cache)*0x9e3779b97f4a7c15) &^ coarse
}

// TupleScope is the scope of the entries that belong to all of groups, the
// scopes of partition fields in their order.
func TupleScope(groups []Scope) Scope {
	h := uint64(len(groups))
	for _, s := range groups {
		h = bits.RotateLeft64(h^uint64(s)*0x9e3779b97f4a7c15, 29) * 0xbf58476d1ce4e5b9
	}
	return Scope(h^h>>31) &^ coarse
}

// tagSpace holds the tags of all caches of a store.
var tagSpace = CacheScope("restflow/tags")

// ManyTags is the coarse scope of the tags that found no room on their entry.
// The invalidation of any tag bumps it.
var ManyTags = CacheScope("restflow/tags/many")

// AnyTag is the coarse scope of every entry that has tags, beside them. Only a
// store that has had to give up keeping count of single tags, since it could not
// be reached for too many invalidations, bumps it.
var AnyTag = CacheScope("restflow/tags/any")

// TagScope is the scope of a tag. Tags belong to the store: the same tag on
// entries of two caches names one group.
func TagScope(tag string) Scope {
	return Scope(xxhash.Sum64String(tag)^uint64(tagSpace)*0x9e3779b97f4a7c15) &^ coarse
}
