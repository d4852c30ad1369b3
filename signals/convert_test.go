package signals_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// Code is text in a key, as a UUID is.
type Code [2]byte

func (c Code) MarshalText() ([]byte, error) {
	if c[0] == '!' {
		return nil, errors.New("no code")
	}
	return []byte(strings.ToUpper(string(c[:]))), nil
}

func (c *Code) UnmarshalText(text []byte) error {
	if len(text) != 2 {
		return fmt.Errorf("%q is no code", text)
	}
	return (*c).set(text)
}

func (c *Code) set(text []byte) error { copy(c[:], text); return nil }

// Shout marshals by its pointer only.
type Shout struct{ Word string }

func (s *Shout) MarshalText() ([]byte, error) { return []byte(s.Word + "!"), nil }

type (
	small int8
	name  string
	flag  bool
	ratio float64
	names []string
)

// convert binds a model with a field of type From to a key with a field of type To.
func convert[From, To any](v From) (string, error) {
	type Model struct{ F From }
	type Key struct{ F To }
	target := &recorder{info: describe[Key]("Cache", "F:f*")}
	bus := signals.NewBus(signals.BusConfig{})
	err := bus.Bind(target, signals.Rule{Name: "R", Model: Model{}, Map: map[string]string{"f": "F"}})
	if err != nil {
		return "", err
	}
	err = bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: &Model{F: v}})
	return strings.Join(target.take(), ";"), err
}

func TestConversions(t *testing.T) {
	day := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	check := func(want string) func(string, error) {
		return func(got string, err error) {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	check("f=7")(convert[int, int](7))
	check("f=7")(convert[uint, int64](7))
	check("f=7")(convert[small, uint16](7))
	check("f=-7")(convert[int64, small](-7))
	check("f=7")(convert[uint64, uint8](7))
	check("f=-7")(convert[int32, string](-7))
	check("f=18446744073709551615")(convert[uint64, string](1<<64 - 1))
	check("f=x")(convert[string, name]("x"))
	check("f=x")(convert[name, string]("x"))
	check("f=true")(convert[flag, bool](true))
	check("f=1.5")(convert[ratio, float64](1.5))
	check("f=[a]")(convert[[]string, names]([]string{"a"}))
	check("f=AB")(convert[Code, string](Code{'a', 'b'}))
	check("f=[97 98]")(convert[string, codeOnly]("ab"))
	check("f=hey!")(convert[Shout, string](Shout{"hey"}))
	check("f=" + day.String())(convert[time.Time, time.Time](day))
	check("f=7")(convert[*int, int](new(7)))
	check("f=7")(convert[**int, string](new(new(7))))
	check("f=7")(convert[int, *int64](7))
	check("f=7")(convert[*int, **int64](new(7)))
	check("f=7")(convert[sql.NullInt64, int32](sql.NullInt64{Int64: 7, Valid: true}))
	check("f=7")(convert[sql.Null[int], string](sql.Null[int]{V: 7, Valid: true}))
	check("f={7 true}")(convert[int, sql.NullInt64](7))
	check("f=any")(convert[string, any]("any"))
}

// codeOnly prints as an array, and parses as a Code does.
type codeOnly [2]byte

func (c *codeOnly) UnmarshalText(text []byte) error { return (*Code)(c).UnmarshalText(text) }

// What does not fit at run time cannot be in any key, and widens.
func TestValuesThatDoNotFitWiden(t *testing.T) {
	check := func(got string, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, "all", got)
	}
	check(convert[int, int8](128))
	check(convert[int, uint](-1))
	check(convert[int, uint8](256))
	check(convert[uint64, int64](1 << 63))
	check(convert[uint, int8](128))
	check(convert[uint16, uint8](256))
	check(convert[string, codeOnly]("abc"))
	check(convert[Code, string](Code{'!'}))
	check(convert[*int, *int](nil))
	check(convert[sql.NullInt64, sql.NullInt64](sql.NullInt64{}))
	check(convert[int, *int8](128))
	check(convert[int, sql.Null[int8]](128))
}

func TestConversionsThatLose(t *testing.T) {
	check := func(from, to string) func(string, error) {
		return func(_ string, err error) {
			t.Helper()
			require.EqualError(t, err, fmt.Sprintf(
				`signals: rule R: Map["f"]: %s does not become %s without loss; give both one type, or make the rule with On`, from, to))
		}
	}
	check("a string", "an int")(convert[string, int]("7"))
	check("a float64", "a string")(convert[float64, string](1))
	check("a bool", "a string")(convert[bool, string](true))
	check("a time.Time", "a string")(convert[time.Time, string](time.Time{}))
	check("a float32", "a float64")(convert[float32, float64](1))
	check("an int", "a float64")(convert[int, float64](1))
	check("a float64", "an int")(convert[float64, int](1))
	check("an interface {}", "an int")(convert[any, int](1))
	check("a []uint8", "a string")(convert[[]byte, string](nil))
	check("a string", "a bool")(convert[*string, *bool](nil))
	check("a string", "an int64")(convert[sql.NullString, sql.NullInt64](sql.NullString{}))
}
