package signals

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Target is all that this package knows of a cache. Response caches and cached functions
// implement it; its dynamic type must be comparable, as a pointer is.
//
// Both methods are called concurrently.
type Target interface {
	// Describe returns what rules can name. It is called once by each Bind.
	Describe() TargetInfo

	// Drop invalidates every entry of every group, in one batch. groups is never empty, and
	// neither it nor the keys change afterwards. Once Drop has returned nil, no later read may
	// be answered from data loaded before it. A target that fails returns the error, which is
	// reported, and retries by itself.
	Drop(ctx context.Context, groups []Group) error
}

// Rewarmer is implemented by targets that can compute entries again.
type Rewarmer interface {
	// Rewarm fills the entries of keys, which are pointers to complete key structs (*K), after
	// they were dropped. Its failure leaves the plain invalidation.
	Rewarm(ctx context.Context, keys []any) error
}

// TargetInfo describes a Target.
type TargetInfo struct {
	// Name is what printed tables, errors and brokers call the target.
	Name string

	// KeyType is the key struct's type K.
	KeyType reflect.Type

	// Fields are the fields of K that have a value in the key.
	Fields []TargetField

	// Rewarm says whether the target can compute entries again; it must then be a Rewarmer.
	// RewarmWhy says why not, for the error message of a rule that asks for it.
	Rewarm    bool
	RewarmWhy string
}

// TargetField is one field of a target's key struct.
type TargetField struct {
	Name      string       // the name that rules use: "pk", "user.id"
	Type      reflect.Type // the type of the Go field
	Partition bool         // whether it names groups
	Index     []int        // where it is in K, as reflect.Value.FieldByIndex takes it
}

// Group is a set of entries of one target: all that agree with Key in the partition fields Names.
type Group struct {
	// All is the whole cache; Names is then empty and Key nil.
	All bool

	// Names are partition fields, in the target's order, without duplicates.
	Names []string

	// Key points to a K whose fields of Names are filled. Its other fields are ignored.
	Key any

	// Soft allows a target to serve entries of the group as stale for this long, counted from
	// Drop, while it rebuilds them. It is the rule's, unless a rule's Invalidate function sets
	// another. Of equal groups the smaller Soft counts. Zero means that the entries are gone at
	// once; a target that does not support it drops the group at once.
	Soft time.Duration
}

// String prints the group without its values: "all", "pk", "pk+user.id".
func (g Group) String() string {
	if g.All {
		return "all"
	}
	return strings.Join(g.Names, "+")
}

// target is a Target together with its checked description.
type target struct {
	Target
	info TargetInfo
}

func (t *target) field(name string) (TargetField, bool) {
	i := slices.IndexFunc(t.info.Fields, func(f TargetField) bool { return f.Name == name })
	if i < 0 {
		return TargetField{}, false
	}
	return t.info.Fields[i], true
}

func (t *target) names(onlyPartitions bool) []string {
	var names []string
	for _, f := range t.info.Fields {
		if f.Partition || !onlyPartitions {
			names = append(names, f.Name)
		}
	}
	return names
}

// check reports why a group does not fit the target: the guard for groups that were not made by
// a compiled rule.
func (t *target) check(g Group) error {
	if g.Soft < 0 {
		return flawf("give how long entries may answer as stale, or 0 for not at all", "a group's Soft is %v", g.Soft)
	}
	if g.All {
		return nil
	}
	if len(g.Names) == 0 {
		return flawf("set Names, or All for the whole cache", "a group has no names")
	}
	for _, name := range g.Names {
		if err := t.noPartition(name); err != nil {
			return err
		}
	}
	if want := reflect.PointerTo(t.info.KeyType); typeOf(g.Key) != want || reflect.ValueOf(g.Key).IsNil() {
		return flawf(fmt.Sprintf("give a %s that is not nil", want), "a group's key is %T", g.Key)
	}
	return nil
}

// noPartition says why a name cannot tell groups of the target apart.
func (t *target) noPartition(name string) *flaw {
	f, ok := t.field(name)
	switch {
	case !ok:
		return flawf(choices(name, t.names(true)), "%s has no partition field %q", typeName(t.info.KeyType), name)
	case !f.Partition:
		return flawf("flag it partition, or map another field", "key field %q of %s is no partition field", name, typeName(t.info.KeyType))
	}
	return nil
}
