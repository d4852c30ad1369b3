package signals

import (
	"fmt"
	"strings"
)

// Op says what happened to a row. It is a set: a rule's Ops hold every operation that fires
// it, and an upsert whose outcome is unknown is published as Create|Update.
type Op uint8

// The operations. GORM's soft Delete is a Delete. Package gormsignals publishes an update that sets
// the deletion time as an Update and a Delete, and one that clears it as an Update and a Create.
const (
	Create Op = 1 << iota
	Update
	Delete

	// AnyOp is the set of all operations: what a zero Op means in a Rule and in a Change.
	AnyOp = Create | Update | Delete
)

var opNames = [...]struct {
	op   Op
	name string
}{{Create, "create"}, {Update, "update"}, {Delete, "delete"}}

// Has reports whether the two sets have an operation in common.
func (o Op) Has(other Op) bool { return o&other != 0 }

// String prints the set as ParseOp reads it: "create|update", or "none".
func (o Op) String() string {
	if o == 0 {
		return "none"
	}
	var names []string
	for _, n := range opNames {
		if o.Has(n.op) {
			names = append(names, n.name)
		}
	}
	if rest := o &^ AnyOp; rest != 0 {
		names = append(names, fmt.Sprintf("Op(%d)", uint8(rest)))
	}
	return strings.Join(names, "|")
}

// ParseOp reads a set of operations: names joined by "|", in any letter case; "any" is AnyOp
// and "none" the empty set.
func ParseOp(s string) (Op, error) {
	var ops Op
	for name := range strings.SplitSeq(s, "|") {
		op, ok := parseOne(strings.ToLower(strings.TrimSpace(name)))
		if !ok {
			return 0, fmt.Errorf("signals: operation %q: unknown name %q; use create, update, delete, any or none, joined by |", s, name)
		}
		ops |= op
	}
	return ops, nil
}

func parseOne(name string) (Op, bool) {
	switch name {
	case "any":
		return AnyOp, true
	case "none":
		return 0, true
	}
	for _, n := range opNames {
		if n.name == name {
			return n.op, true
		}
	}
	return 0, false
}
