package signals_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func TestOpText(t *testing.T) {
	for op, text := range map[signals.Op]string{
		0:                                "none",
		signals.Create:                   "create",
		signals.Update | signals.Delete:  "update|delete",
		signals.AnyOp:                    "create|update|delete",
		signals.Create | signals.Op(128): "create|Op(128)",
	} {
		require.Equal(t, text, op.String())
	}
}

func TestParseOp(t *testing.T) {
	for text, op := range map[string]signals.Op{
		"create":                 signals.Create,
		"Update | DELETE":        signals.Update | signals.Delete,
		"any":                    signals.AnyOp,
		"none":                   0,
		signals.AnyOp.String():   signals.AnyOp,
		signals.Op(0).String():   0,
		"create|create|none|any": signals.AnyOp,
	} {
		got, err := signals.ParseOp(text)
		require.NoError(t, err, text)
		require.Equal(t, op, got, text)
	}
	_, err := signals.ParseOp("create|remove")
	require.EqualError(t, err, `signals: operation "create|remove": unknown name "remove"; use create, update, delete, any or none, joined by |`)
	_, err = signals.ParseOp("")
	require.EqualError(t, err, `signals: operation "": unknown name ""; use create, update, delete, any or none, joined by |`)
}

func TestOpHas(t *testing.T) {
	require.True(t, signals.AnyOp.Has(signals.Delete))
	require.False(t, signals.Create.Has(signals.Update|signals.Delete))
}

func TestChangeText(t *testing.T) {
	for text, c := range map[string]signals.Change{
		"create User":                     {Op: signals.Create, Model: typeOf[User]()},
		"update User{Name,Email} (users)": {Op: signals.Update, Model: typeOf[User](), Fields: []string{"Name", "Email"}, Table: "users"},
		"delete User in bulk":             {Op: signals.Delete, Model: typeOf[User](), Bulk: true},
		"update struct { A int }{}":       {Op: signals.Update, Model: typeOf[struct{ A int }](), Fields: []string{}},
		"create|update ?":                 {Op: signals.Create | signals.Update},
	} {
		require.Equal(t, text, c.String())
	}
}

func TestGroupText(t *testing.T) {
	require.Equal(t, "all", signals.Group{All: true}.String())
	require.Equal(t, "pk+user.id", signals.Group{Names: []string{"pk", "user.id"}, Key: &UserKey{PK: 1}}.String())
}
