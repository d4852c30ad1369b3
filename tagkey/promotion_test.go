package tagkey_test

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// slot has the MarshalText of its time, which does not tell the room.
type slot struct {
	time.Time
	Room string
}

type stamp struct{ time.Time }

type hall struct{ stamp }

type bookedHall struct {
	hall
	By string
}

type bookedSlot struct{ slot }

type lentByPointer struct {
	*netip.Addr
	Zone int
}

type lentByInterface struct {
	Zone int
	encoding.TextMarshaler
}

type ring struct {
	*ring
	time.Time
}

type generic[T any] struct {
	time.Time
	Room T
}

func TestPromotedMarshalTextIsRefused(t *testing.T) {
	_ = ring{}.ring // there to be refused
	const mend = " itself, or name the embedded field"
	for _, tt := range []struct {
		typ  reflect.Type
		want string
	}{
		{field[slot]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot` + mend},
		{field[slot]("query,a"), `tag "query,a": MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot` + mend},
		{field[*slot]("request,a"), `tag "request,a": MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot` + mend},
		{field[[]slot]("header,a"), `tag "header,a": MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot` + mend},
		{field[map[string][]*slot]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot` + mend},
		{field[bookedSlot]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.bookedSlot is that of the embedded Time, which leaves out Room; declare MarshalText on bookedSlot` + mend},
		{field[bookedHall]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.bookedHall is that of the embedded hall, which leaves out By; declare MarshalText on bookedHall` + mend},
		{field[lentByPointer]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.lentByPointer is that of the embedded Addr, which leaves out Zone; declare MarshalText on lentByPointer` + mend},
		{field[lentByInterface]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.lentByInterface is that of the embedded TextMarshaler, which leaves out Zone; declare MarshalText on lentByInterface` + mend},
		{field[ring]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.ring is that of the embedded Time, which leaves out ring; declare MarshalText on ring` + mend},
		{field[generic[int]]("arg,a"), `tag "arg,a": MarshalText of tagkey_test.generic[int] is that of the embedded Time, which leaves out Room; declare MarshalText on generic[int]` + mend},
	} {
		require.Equal(t, "tagkey: K.F: "+tt.want, faultOf(t, tt.typ))
	}
	_, err := tagkey.CompileArgs(reflect.TypeFor[slot]())
	require.EqualError(t, err, "tagkey: slot: MarshalText of tagkey_test.slot is that of the embedded Time, which leaves out Room; declare MarshalText on slot"+mend)
}

// own, ownByPointer and ownGeneric say themselves what tells them apart.
type own struct {
	time.Time
	Room string
}

func (o own) MarshalText() ([]byte, error) { return []byte(o.Room), nil }

type ownByPointer struct {
	Room string
	stamp
}

func (o *ownByPointer) MarshalText() ([]byte, error) { return []byte(o.Room), nil }

type ownGeneric[T any] struct {
	time.Time
	Room T
}

func (o ownGeneric[T]) MarshalText() ([]byte, error) { return fmt.Append(nil, o.Room), nil }

// marked has nothing beside its time that could differ.
type marked struct {
	_ int
	time.Time
	Mark struct{}
	Memo func() `restflow:"-"`
}

func TestMarshalTextThatLeavesNothingOut(t *testing.T) {
	epoch := time.Unix(0, 0).UTC()
	for _, tt := range []struct {
		v    any
		want string
	}{
		{own{epoch, "red"}, "3:red"},
		{&ownByPointer{"red", stamp{epoch}}, "3:red"},
		{ownGeneric[int]{epoch, 7}, "1:7"},
		{stamp{epoch}, "20:1970-01-01T00:00:00Z"},
		{hall{stamp{epoch}}, "20:1970-01-01T00:00:00Z"},
	} {
		typ := reflect.TypeOf(tt.v)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		p, err := tagkey.CompileArgs(typ)
		require.NoError(t, err, "%T", tt.v)
		require.Equal(t, tt.want, strings.TrimSuffix(strings.Split(valueKey(t, p, tt.v), "arg:arg=")[1], "|"), "%T", tt.v)
	}
	_, err := tagkey.CompileType(field[marked]("query,a"))
	require.NoError(t, err)
}
