package tagkey_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

type Node struct {
	ID       int
	At       time.Time
	Children []*Node
	Labels   map[string][2]any
	hidden   int
}

// schemaKey is the key of a struct that only has the schema of T, under one name
// and so with nothing but the fingerprint to differ by.
func schemaKey[T any](t *testing.T) string {
	t.Helper()
	typ := field[T]("schema,s")
	p, err := tagkey.CompileType(typ)
	require.NoError(t, err)
	return valueKey(t, p, reflect.New(typ).Interface())
}

func TestSchemaChangesWithTheType(t *testing.T) {
	_ = Node{}.hidden
	keys := map[string]string{}
	for name, key := range map[string]string{
		"node":         schemaKey[Node](t),
		"pointer":      schemaKey[*Node](t),
		"slice":        schemaKey[[]Node](t),
		"string":       schemaKey[string](t),
		"named string": schemaKey[fmtKey](t),
		"int":          schemaKey[int](t),
		"fields":       schemaKey[struct{ A, B int }](t),
		"names":        schemaKey[struct{ A, C int }](t),
		"order":        schemaKey[struct{ B, A int }](t),
		"types":        schemaKey[struct{ A, B int8 }](t),
		"tags": schemaKey[struct {
			A int `json:"a"`
			B int
		}](t),
		"embedded":  schemaKey[struct{ Node }](t),
		"named":     schemaKey[struct{ Node Node }](t),
		"array":     schemaKey[[2]int](t),
		"longer":    schemaKey[[3]int](t),
		"chan":      schemaKey[chan int](t),
		"recv chan": schemaKey[<-chan int](t),
		"func":      schemaKey[func(int)](t),
		"interface": schemaKey[any](t),
	} {
		require.Empty(t, keys[key], "%s and %s have one fingerprint", name, keys[key])
		keys[key] = name
	}
}

func TestSchemaIgnoresUnexportedFields(t *testing.T) {
	type payload struct{ A int }
	before := schemaKey[payload](t)
	{
		type payload struct {
			A int
			b string
		}
		_ = payload{}.b
		require.Equal(t, before, schemaKey[payload](t))
	}
}

// Another process and another release must come to the same fingerprint.
func TestSchemaIsStable(t *testing.T) {
	type key struct {
		_ struct{} `restflow:"namespace,n"`
		_ Node     `restflow:"schema"`
	}
	const want = "rf1|n|v1|schema:tagkey_test.Node=32:89e1c7e1cd25a71da0007d2628aef0f3|"
	require.Equal(t, want, valueKey(t, tagkey.MustCompile[key](), key{}))
	require.Equal(t, want, requestKey(t, tagkey.MustCompile[key](), get("")))
	require.Contains(t, want, tagkey.Fingerprint(reflect.TypeFor[Node]()))
}

func TestTwoSchemasOfOneNameClash(t *testing.T) {
	type key struct {
		_ Node `restflow:"schema"`
		_ Node `restflow:"schema"`
	}
	_, err := tagkey.Compile[key]()
	require.ErrorContains(t, err, `schema:tagkey_test.Node is declared by _ as well; drop one`)
	require.Equal(t, 1, strings.Count(err.Error(), "\n")+1)
}
