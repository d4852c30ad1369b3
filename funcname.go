package restflow

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/restflow-go/restflow/tagkey"
)

// Results of two functions must never stand for each other, though their keys may
// hold the same arguments under the same namespace. So the key of a function goes
// on where the plan's ends, with one more part. It holds framed parts itself, of
// which the first is funcKind; what follows a response's plan begins with a method.
const funcKind = "func"

// identity is what the key of a function holds besides the arguments: a result
// whose type has changed since it was stored is a miss and is not misread.
type identity struct {
	tail  string // the part that ends the function's keys
	claim string // on its store, if the name was not given
}

func newIdentity(name, codec string, result reflect.Type) identity {
	var k tagkey.Key
	for _, part := range []string{funcKind, name, codec, tagkey.Fingerprint(result)} {
		k.AppendString(part)
	}
	return identity{tail: string(k.Bytes())}
}

// identify names a function. A name that is not given is taken from the code,
// where it must be one that lasts as long as the store, and be the only one.
func identify(fn any, given, codec string, result reflect.Type, store *Store, plan *tagkey.Plan) (identity, error) {
	if given != "" {
		return newIdentity(given, codec, result), nil
	}
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	if store.traits.shared && isLiteral(name) {
		return identity{}, errors.New("restflow: FuncConfig.Name is not set, and the function is a literal, whose name in the code changes from build to build; give the name that its results have in a shared store")
	}
	id := newIdentity(name, codec, result)
	id.claim = plan.Prefix() + id.tail
	if _, taken := store.functions.LoadOrStore(id.claim, struct{}{}); taken {
		return id, fmt.Errorf("restflow: FuncConfig.Name is not set, and the store has results of %s under %s v%d already; set one Name for both if they are the same function, and else two",
			name, plan.Namespace(), plan.Version())
	}
	return id, nil
}

// release gives up the claim of a function that was not made after all.
func (id *identity) release(store *Store) {
	if id.claim != "" {
		store.functions.Delete(id.claim)
	}
}

// isLiteral tells the names that the compiler makes up, such as main.main.func1
// or main.glob..func2.3, from those in the code.
func isLiteral(name string) bool {
	name = name[strings.LastIndexByte(name, '/')+1:]
	for part := range strings.SplitSeq(name, ".") {
		if rest, ok := strings.CutPrefix(part, "func"); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			return true
		}
	}
	return false
}
