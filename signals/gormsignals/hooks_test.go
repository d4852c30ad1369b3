package gormsignals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Note is a model that publishes itself.
type Note struct {
	ID     int64
	UserID int64
	Text   string
}

func (n *Note) AfterSave(tx *gorm.DB) error   { return gormsignals.Saved(tx, n) }
func (n *Note) AfterDelete(tx *gorm.DB) error { return gormsignals.Deleted(tx, n) }

type noteKey struct{ Note, User int64 }

// noting returns a bus with a rule for notes and a list of the changes it hears.
func noting(t *testing.T) (*signals.Bus, *recorder, *[]string) {
	t.Helper()
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	require.NoError(t, bus.Bind(&cache[noteKey]{"note", r}, signals.Rule{Model: Note{}, Map: map[string]string{"note": "ID", "user": "UserID"}}))
	var heard []string
	bus.Subscribe(func(_ context.Context, changes []signals.Change) {
		for _, c := range changes {
			heard = append(heard, c.String())
		}
	})
	return bus, r, &heard
}

func notes(t *testing.T, d *database) *gorm.DB {
	t.Helper()
	db := d.gorm(t, nil)
	require.NoError(t, db.Exec("CREATE TABLE notes (id integer primary key, user_id integer, text text)").Error)
	return db
}

func TestHooksPublishNothingTwice(t *testing.T) {
	bus, r, heard := noting(t)
	db := notes(t, openSQLite(t))
	require.NoError(t, db.Use(gormsignals.New(bus)))

	require.NoError(t, db.Create(&Note{ID: 1, UserID: 7}).Error)
	require.Equal(t, []string{"create Note (notes)"}, *heard)
	require.Equal(t, []string{"note note=1,user=7"}, r.take())
	*heard = nil
	require.NoError(t, db.Save(&Note{ID: 1, UserID: 8}).Error)
	require.Equal(t, []string{"update Note{UserID,Text} (notes)"}, *heard)
	require.Equal(t, []string{"note note=1,user=7", "note note=1,user=8"}, r.take())
	*heard = nil
	require.NoError(t, db.Delete(&Note{ID: 1}).Error)
	require.Equal(t, []string{"delete Note (notes)"}, *heard)
	require.Equal(t, []string{"note note=1,user=8"}, r.take())
}

// Reply touches the one that it answers, by a way that the plugin does not see.
type Reply struct {
	ID       int64
	AnswerTo int64
}

func (p *Reply) AfterSave(tx *gorm.DB) error {
	if p.AnswerTo == 0 {
		return gormsignals.Saved(tx, p)
	}
	raw, _ := gormsignals.SQLTx(tx)
	if _, err := raw.Exec("UPDATE replies SET answer_to = 0 WHERE id = ?", p.AnswerTo); err != nil {
		return err
	}
	return errors.Join(gormsignals.Saved(tx, p), gormsignals.Saved(tx, &Reply{ID: p.AnswerTo}))
}

func TestSavedOfAnotherRowInAHook(t *testing.T) {
	d, r := openSQLite(t), &recorder{}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(&cache[teamKey]{"reply", r}, signals.Rule{Model: Reply{}, Map: map[string]string{"team": "ID"}}))
	db := d.gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Reply{}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.Create(&[]Reply{{ID: 1}, {ID: 2}}).Error)
	require.Equal(t, []string{"reply team=1", "reply team=2"}, r.take())
	require.NoError(t, db.Create(&[]*Reply{{ID: 3}, {ID: 4, AnswerTo: 1}, {ID: 5, AnswerTo: 2}}).Error)
	// That the others were created or updated is all that is said, so their previous keys are unknown.
	require.Equal(t, []string{"reply all"}, r.take())
	require.NoError(t, db.Save(&Reply{ID: 3}).Error)
	require.Equal(t, []string{"reply team=3"}, r.take())
}

// Outside a hook Saved speaks for a write that the plugin did not see.
func TestSavedWaitsForTheCommit(t *testing.T) {
	bus, r, _ := noting(t)
	db := notes(t, openSQLite(t))
	require.NoError(t, db.Use(gormsignals.New(bus)))

	require.ErrorIs(t, db.Transaction(func(tx *gorm.DB) error {
		return errors.Join(gormsignals.Saved(tx, &Note{ID: 1, UserID: 7}), errAbort)
	}), errAbort)
	require.Empty(t, r.take())
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, gormsignals.Deleted(tx, &Note{ID: 1, UserID: 7}))
		require.Empty(t, r.take())
		return nil
	}))
	require.Equal(t, []string{"note note=1,user=7"}, r.take())
	require.NoError(t, gormsignals.Publish(db, signals.Change{Op: signals.Create, New: &Note{ID: 2, UserID: 7}}))
	require.Equal(t, []string{"note note=2,user=7"}, r.take())
}

func TestHooksWithoutThePlugin(t *testing.T) {
	bus, r, _ := noting(t)
	db := notes(t, openSQLite(t))
	err := db.Create(&Note{ID: 1, UserID: 7}).Error
	require.ErrorIs(t, err, gormsignals.ErrNoPlugin)
	require.EqualError(t, err, "gormsignals: this database does not use the plugin, so nobody sees its commits; call db.Use(gormsignals.New(bus)) after gorm.Open")

	ctx, queue := signals.Begin(t.Context(), bus)
	require.NoError(t, db.WithContext(ctx).Create(&Note{ID: 1, UserID: 7}).Error)
	require.NoError(t, db.WithContext(ctx).Delete(&Note{ID: 1, UserID: 7}).Error)
	require.Empty(t, r.take())
	require.NoError(t, queue.Commit(ctx))
	require.Equal(t, []string{"note all", "note note=1,user=7"}[:1], r.take(), "an upsert whose previous values are unknown widens")
}

func TestHooksTakeAPointerToAModel(t *testing.T) {
	bus, _, _ := noting(t)
	db := notes(t, openSQLite(t))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.EqualError(t, gormsignals.Saved(db, Note{}),
		"gormsignals: Saved and Deleted take a pointer to a model, not gormsignals_test.Note; pass the receiver of the hook, as in func (u *User) AfterSave(tx *gorm.DB) error")
	require.EqualError(t, gormsignals.Deleted(db, (*Note)(nil)),
		"gormsignals: Saved and Deleted take a pointer to a model, not *gormsignals_test.Note; pass the receiver of the hook, as in func (u *User) AfterSave(tx *gorm.DB) error")
	require.EqualError(t, gormsignals.Saved(db, nil),
		"gormsignals: Saved and Deleted take a pointer to a model, not <nil>; pass the receiver of the hook, as in func (u *User) AfterSave(tx *gorm.DB) error")
}
