// Package signals carries committed model changes to the caches that depend on them.
//
// A source (a GORM plugin, a repository, a message consumer) publishes a [Change] for every
// committed create, update and delete. A [Bus] hands it to the rules of that model; each
// [Rule] says which entries of which [Target] the row affects, and a [Dispatcher] decides
// where the work runs. The package knows no database and no cache.
//
// # Delivery
//
//   - After commit. Changes queued in a [Tx] are published by its Commit and dropped by its
//     Rollback. Nothing is invalidated for a transaction that rolled back, and nothing before
//     the new data can be read.
//   - Before Commit returns, with the Inline dispatcher: the writer reads its own writes. With
//     a Pool, a broker or a Batch it may be later.
//   - At least once. Equal groups of one commit are dropped once, in one Drop per target, but
//     any group may be dropped again.
//   - Never silently lost. A full pool and a failed dispatcher fall back to the writer's
//     goroutine; every failure reaches the log and BusConfig.OnError; work continues after
//     the writer's context has ended. A Target that cannot drop retries by itself.
//   - A failure never fails the writer, unless a rule's OnError says Return.
//
// # What is unknown widens
//
// A rule drops the narrowest group that certainly covers the affected rows:
//
//   - an update drops the groups of the previous and of the new values;
//   - a mapped value that is unknown or nil is left out, and the remaining fields name a wider
//     group; if none remains it is the whole cache. The value before an update is known if Old
//     holds it, or if Change.Fields shows that the update did not set it;
//   - a watched field counts as changed and a condition as true unless they are known not to be;
//   - a Bulk change, an error or a panic in a rule's function, and more than
//     BusConfig.MaxGroups groups in one commit drop the whole cache.
//
// # Concurrency
//
// All methods of [Bus] are safe for concurrent use. Publishing never waits for binding: rules
// live in an immutable registry that Bind and Subscribe replace. Drops for two commits may run
// at the same time and in any order, which does not matter, since dropping is all they do.
package signals
