package gormsignals

import (
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
)

// Saved publishes that value, a pointer to a model, was created or updated; for a model's own hook:
//
//	func (u *User) AfterSave(tx *gorm.DB) error { return gormsignals.Saved(tx, u) }
//
// The change waits for the transaction's commit like those that the plugin finds itself. Nothing is published
// twice: for a row of the statement whose hook it is called in, Saved does nothing if the plugin has watched
// that, since it knows more (the previous values, the fields that were set). It is for writes that the
// plugin cannot see, of other rows too, and for databases without it whose contexts carry a signals.Tx.
//
// The error wraps ErrNoPlugin if there is neither, or says that value is no pointer to a struct.
func Saved(tx *gorm.DB, value any) error {
	return hook(tx, value, signals.Change{Op: signals.Create | signals.Update, New: value})
}

// Deleted publishes that value, a pointer to a model, was deleted. See Saved.
//
//	func (u *User) AfterDelete(tx *gorm.DB) error { return gormsignals.Deleted(tx, u) }
func Deleted(tx *gorm.DB, value any) error {
	return hook(tx, value, signals.Change{Op: signals.Delete, Old: value})
}

func hook(tx *gorm.DB, value any, c signals.Change) error {
	t := reflect.TypeOf(value)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || reflect.ValueOf(value).IsNil() {
		return fmt.Errorf("gormsignals: Saved and Deleted take a pointer to a model, not %T; pass the receiver of the hook, as in func (u *User) AfterSave(tx *gorm.DB) error", value)
	}
	if wasSeen(tx, reflect.ValueOf(value)) {
		return nil
	}
	c.Table = tx.Statement.Table
	return Publish(tx, c)
}

// Publish adds changes to the transaction of tx, to be published by its commit, or publishes them at
// once if tx is in none. It is for writes made around GORM, through SQLTx for instance.
//
// The error is ErrNoPlugin without the plugin and without a signals.Tx in the context, ErrUnseenTx in a
// transaction that the plugin cannot see with Config.RefuseUnseen, or a *PublishError.
func Publish(tx *gorm.DB, changes ...signals.Change) error {
	ctx := tx.Statement.Context
	p, ok := tx.Plugins[pluginName].(*Plugin)
	if !ok {
		if queue := signals.FromContext(ctx); queue != nil {
			queue.Add(changes...)
			return nil
		}
		return ErrNoPlugin
	}
	s := seatOf(tx.Statement.ConnPool)
	switch {
	case !s.unseen:
	case p.watchesDriver(tx):
		return p.publishOn(tx, changes)
	case p.config.RefuseUnseen:
		return ErrUnseenTx
	default:
		p.reportUnseen(ctx, fmt.Sprintf("%T", tx.Statement.ConnPool), tx.Statement.Table)
	}
	return p.deliver(ctx, s, changes)
}

// publishOn finds the watched connection of a transaction that only the driver sees, by a query
// that touches nothing.
func (p *Plugin) publishOn(tx *gorm.DB, changes []signals.Change) error {
	ctx, s := p.mark(tx.Statement.Context)
	if err := tx.Statement.ConnPool.QueryRowContext(ctx, "SELECT 1").Scan(new(int)); err != nil {
		return fmt.Errorf("gormsignals: find the connection of a transaction: %w", err)
	}
	return s.deliver(ctx, changes)
}

const seenKey = "restflow:seen"

// seen says which statement the plugin has watched, and for which models.
type seen struct {
	stmt   *gorm.Statement
	models []work
}

// markSeen leaves word for the hooks that run after the statement. GORM hands them its very Statement.
func markSeen(db *gorm.DB, w *watch) {
	if s := db.Statement.Schema; s != nil && !db.Statement.SkipHooks && (s.AfterSave || s.AfterCreate || s.AfterUpdate || s.AfterDelete) {
		db.Statement.Settings.Store(seenKey, &seen{db.Statement, w.works})
	}
}

// wasSeen reports whether value, a pointer, is what the statement of tx has written before the
// eyes of the plugin. Another row of the model is not.
func wasSeen(tx *gorm.DB, value reflect.Value) bool {
	v, _ := tx.Statement.Settings.Load(seenKey)
	mark, ok := v.(*seen)
	if !ok || mark.stmt != tx.Statement || !writes(mark.stmt, value) {
		return false
	}
	for _, work := range mark.models {
		if work.bulk().Model == value.Type().Elem() {
			return true
		}
	}
	return false
}

// writes reports whether value is one of the rows that a statement was given.
func writes(stmt *gorm.Statement, value reflect.Value) bool {
	rows := stmt.ReflectValue
	same := func(row reflect.Value) bool {
		row = reflect.Indirect(row)
		return row.CanAddr() && row.Addr().Pointer() == value.Pointer()
	}
	if rows.Kind() != reflect.Slice && rows.Kind() != reflect.Array {
		return same(rows)
	}
	if i := stmt.CurDestIndex; i < rows.Len() && same(rows.Index(i)) { // the one that the hook runs for
		return true
	}
	for i := range rows.Len() {
		if same(rows.Index(i)) {
			return true
		}
	}
	return false
}
