package signals

import (
	"context"
	"reflect"
	"time"
)

// Rule says: when this model changes, invalidate that cache for those key fields. Bus.Bind ties
// it to a Target and checks every name and type in it.
//
// Exactly one of Map, All, Invalidate, or a rule made by On, says what to invalidate.
type Rule struct {
	// Model is a value or a pointer of the model's struct type: User{} or (*User)(nil). Required,
	// unless the rule was made by On.
	Model any

	// Name is what errors and tables call the rule. Default "Model->Target", with "#2" and so on
	// appended when another rule of that target has it.
	Name string

	// Map fills key fields from the changed instance: key field name to dotted Go path,
	// {"pk": "ID", "user.id": "Owner.ID"}. The key fields must be partition fields, except those
	// that only Rewarm needs. Values convert if nothing can be lost: integers to integers (one that
	// does not fit widens), strings to strings, integers and text marshalers to strings, strings
	// to text unmarshalers, with or without pointers; sql.Null and its like count as pointers.
	//
	// A mapped value that is nil or unknown is left out, so that the remaining fields name a wider
	// group; if none remains it is the whole cache.
	Map map[string]string

	// Require lists Map fields for which nil means nothing to invalidate. Use it only if no entry
	// depends on rows where the field is nil.
	Require []string

	// All invalidates the whole cache, whatever the instance. With Rewarm, Map may be set as well,
	// to fill the keys to compute again.
	All bool

	// Invalidate replaces Map: it returns the groups to drop, and none means none. An error, a
	// panic or a group that does not fit the target drops the whole cache and is reported. It is
	// not called for a Bulk change, which drops the whole cache.
	Invalidate func(ctx context.Context, c Change) ([]Group, error)

	// Ops are the operations that fire the rule. Default AnyOp.
	Ops Op

	// Watch lists dotted Go paths. An update fires only if one of them changed or cannot be known
	// to be unchanged. Fields of the row in Map, When and Reads do the same, since such a row
	// moves from one group to another; relations in them fire only if they are known to have
	// changed. Creates and deletes always fire. Default: every update fires.
	Watch []string

	// When lists conditions: dotted Go path to the value that it must equal. A path that begins
	// with "!" must differ from its value instead. nil stands for a nil pointer or an invalid
	// sql.Null. All conditions must hold, for the new or for the previous value of the instance;
	// a condition on an unknown value holds.
	When map[string]any

	// If is a predicate in addition to When. An error or a panic counts as true and is reported.
	// It is not called for a Bulk change.
	If func(ctx context.Context, c Change) (bool, error)

	// Reads lists the dotted Go paths that If, Invalidate and On's function read, so that a source
	// need not load whole rows, and so that an update which sets none of them does not widen.
	// Default: they may read every field.
	Reads []string

	// Soft lets response caches serve affected entries as stale for up to this long while each is
	// rebuilt once in the background. The time counts from when the rule's call to the store
	// begins. Readers may briefly see old data; any hard invalidation, or a second soft one, ends
	// the window.
	//
	// Cached functions, and the stores that restflow.Store.BumpSoft names, drop the groups at once.
	// Groups that Invalidate returns without a Soft get this one. A whole cache is dropped softly
	// if the group is unknown, and at once if something failed. Default 0: at once.
	Soft time.Duration

	// Rewarm computes results again. After a create or update, it computes the result for the row's
	// new key, cached before or not. The old key of a moved row, deletes and bulk changes are only
	// dropped. The rule must fill every key field, and the target must support it: cached functions
	// do.
	Rewarm bool

	// Dispatcher decides where the rule's work runs. Default: the bus's. Named picks one of
	// BusConfig.Dispatchers.
	Dispatcher Dispatcher

	// Batch collects the work of several commits and merges it. Not with Inline. Default: none.
	Batch Batch

	// OnError says who is told of failures. Default Report.
	OnError ErrorPolicy

	typed *typedKey // set by On
}

// Batch collects the work of several commits, so that equal groups are dropped once. Entries
// stay alive until it is sent. Rules of one target and dispatcher with the same Batch share one.
type Batch struct {
	// Delay is how long the first group waits. Zero means no batching.
	Delay time.Duration

	// Size is the number of different groups that ends the wait. Default 1,000.
	Size int
}

// ErrorPolicy says who is told of a failed invalidation, besides the log and the OnError hook.
type ErrorPolicy uint8

const (
	// Report is the default: the log and the hook get the error, the writer does not.
	Report ErrorPolicy = iota

	// Return also makes Publish and Tx.Commit return the error. The database has committed
	// anyway. It needs work that ends within Publish, so no Pool and no Batch.
	Return
)

// String prints "report" or "return".
func (p ErrorPolicy) String() string {
	if p == Return {
		return "return"
	}
	return "report"
}

// typedKey is what On leaves in a rule.
type typedKey struct {
	model, key reflect.Type
	names      []string
	build      func(model any) any // *M to *K
	isNil      bool
}

// On returns a rule written in Go: fn makes the key of an instance, and names are its partition
// fields that name the group. M must be a struct, K the target's key struct.
//
//	signals.On(func(u *User) UserKey { return UserKey{PK: u.ID} }, "pk")
//
// It can fill partitions that Map cannot, such as the "path" of echocache.DefaultKey.
//
// fn is called for the new and for the previous value, and must not keep or change its argument.
// A panic in it drops the whole cache and is reported. Set other fields on the Rule that On
// returns. List the fields that fn reads in Reads, or an update without a full previous value
// drops the whole cache.
func On[M, K any](fn func(*M) K, names ...string) Rule {
	return Rule{
		Model: (*M)(nil),
		typed: &typedKey{
			model: reflect.TypeFor[M](),
			key:   reflect.TypeFor[K](),
			names: names,
			isNil: fn == nil,
			build: func(m any) any {
				k := fn(m.(*M))
				return &k
			},
		},
	}
}
