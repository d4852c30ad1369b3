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
	// A mapped value that is nil or unknown is left out, so that the remaining fields tell a wider
	// group; if none remains it is the whole cache.
	Map map[string]string

	// Require lists key fields of Map for which nil means that there is nothing to invalidate:
	// the rule then skips that value of the instance. It is the author's word that no entry
	// depends on a row whose field is nil.
	Require []string

	// All invalidates the whole cache, whatever the instance. With Rewarm, Map may stand beside
	// it and fill the keys to compute again.
	All bool

	// Invalidate takes the place of Map: it returns the groups to drop, and none means none. An
	// error, a panic or a group that does not fit the target drops the whole cache and is
	// reported. It is not called for a Bulk change, which drops the whole cache.
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
	// what is unknown holds.
	When map[string]any

	// If is a predicate beside When. An error or a panic counts as true and is reported. It is not
	// called for a Bulk change.
	If func(ctx context.Context, c Change) (bool, error)

	// Reads lists the dotted Go paths that If, Invalidate and On's function read, so that a source
	// need not load whole rows, and so that an update which sets none of them does not widen.
	// Default: they may read every field.
	Reads []string

	// Soft lets response caches answer what they hold of the groups as stale for at most this long
	// after the rule's work has run, while one run in the background makes each entry anew. It
	// gives up that readers see a change once it is committed: for up to Soft one may get the row
	// as it was, and another the row as it is. Whatever invalidates the same entries without Soft
	// ends it at once, and so does another soft change before an entry was made anew.
	//
	// Cached functions, and stores where restflow.Store.BumpSoft says so, drop the groups at
	// once. A group that Invalidate returns without a Soft has this one. A whole cache that is
	// dropped since nobody knows the group is dropped softly, and since something failed, at
	// once. Default 0: at once.
	Soft time.Duration

	// Rewarm computes the dropped entries again after a create or an update. The rule must fill
	// every key field, and the target must be able to.
	Rewarm bool

	// Dispatcher decides where the rule's work runs. Default: the bus's. Named picks one of
	// BusConfig.Dispatchers.
	Dispatcher Dispatcher

	// Batch lets work of several commits wait to be merged. Not with Inline. Default: none.
	Batch Batch

	// OnError says who hears of failures. Default Report.
	OnError ErrorPolicy

	typed *typedKey // set by On
}

// Batch lets the work of several commits wait, so that equal groups are dropped once. Entries
// stay alive while it waits. Rules of one target and dispatcher with the same Batch share one.
type Batch struct {
	// Delay is how long the first group waits. Zero means no batching.
	Delay time.Duration

	// Size is the number of different groups that ends the wait. Default 1,000.
	Size int
}

// ErrorPolicy says what becomes of a failed invalidation, besides the log and the OnError hook.
type ErrorPolicy uint8

const (
	// Report is the default: the log and the hook hear of it, the writer does not.
	Report ErrorPolicy = iota

	// Return also makes Publish and Tx.Commit return the error. The database has committed all
	// the same. It needs work that ends within Publish, so no Pool and no Batch.
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

// On is a rule in Go: fn makes the key of an instance, and names are the partition fields of it
// that tell the group. M must be a struct, K the target's key struct.
//
//	signals.On(func(u *User) UserKey { return UserKey{PK: u.ID} }, "pk")
//
// fn is called for the new and for the previous value, and must not keep or change its argument.
// A panic in it drops the whole cache and is reported. Other fields of the Rule may be set on
// what On returns. List what fn reads in Reads, or an update without a full previous value
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
