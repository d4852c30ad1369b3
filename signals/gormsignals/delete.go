package gormsignals

import (
	"context"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
)

// deletion makes the changes of a DELETE for one model, also of one that GORM turns into an UPDATE
// of a deletion time.
type deletion struct {
	*entry
	rows  []reflect.Value
	known bool
	image bool
}

func (p *Plugin) deleting(_ *gorm.DB, s subjects) []work {
	return each(s, func(e *entry) work { return &deletion{entry: e} }, signals.Delete)
}

// before reads the rows that are about to go, unless their keys are all that matters and the WHERE
// clause names those.
func (d *deletion) before(ctx context.Context, w *watch) error {
	if !d.narrow() {
		return nil
	}
	d.rows, d.known = d.pins(w.db.Statement)
	if len(d.rows) > w.plugin.config.MaxRows {
		d.rows, d.known = nil, false
		return nil
	}
	where, ok := exactWhere(w)
	if d.known && covers(d.schema.PrimaryFields, d.columns) || !ok || !w.locks() || w.plugin.config.NoReads {
		return nil
	}
	rows, all, err := d.readBefore(ctx, w, where, "UPDATE")
	d.rows, d.known, d.image = rows, all, all
	return err
}

func (d *deletion) bulk() signals.Change {
	return signals.Change{Model: d.typ, Table: d.table, Op: signals.Delete, Bulk: true}
}

func (d *deletion) after(ctx context.Context, w *watch) ([]signals.Change, error) {
	columns := d.schema.PrimaryFields
	if rows := returnedRows(w, d.entry); rows != nil && d.narrow() {
		d.rows, columns = rows, d.columns // they are the rows that went, with all their values
	} else if !d.known || d.image && !d.complete(ctx, w, len(d.rows)) {
		return []signals.Change{d.bulk()}, nil
	} else if d.image {
		columns = d.columns
	}
	return d.changes(ctx, columns), nil
}

func (d *deletion) changes(ctx context.Context, columns []*schema.Field) []signals.Change {
	changes := make([]signals.Change, len(d.rows))
	for i, row := range d.rows {
		changes[i] = signals.Change{Model: d.typ, Table: d.table, Op: signals.Delete}
		changes[i].Old, changes[i].OldFields = d.instance(ctx, row, columns)
	}
	return changes
}
