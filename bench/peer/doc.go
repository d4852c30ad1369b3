// Package peer sets up caches for one and the same work, so that their numbers can
// stand side by side: the answer to GET /items/:id?page=2&sort=name&q=hello, a body
// with the fields Content-Type, X-One and X-Two, kept under a key that tells paths
// and queries apart.
//
// Each is set up as its own documentation does it: in memory if it can, with the
// query in the key, and with nothing switched on that the others lack. Baselines
// without a cache, one for each framework, and a floor that no cache can fall below
// stand beside them.
package peer
