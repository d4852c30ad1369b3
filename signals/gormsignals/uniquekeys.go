package gormsignals

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// uniqueKeys lists the unique keys of a table of MySQL; nil if one of them is not made of whole
// columns that the model has, or if they cannot be read.
func (m *model) uniqueKeys(ctx context.Context, w *watch) [][]*schema.Field {
	keys := make([][]*schema.Field, 0, 4)
	for _, columns := range w.indexes(ctx) {
		key := make([]*schema.Field, len(columns))
		for i, column := range columns {
			if key[i] = m.column(column); key[i] == nil {
				return nil
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// indexes returns the columns of the unique indexes of the table that is written. They are read
// once for each table of a pool.
func (w *watch) indexes(ctx context.Context) [][]string {
	database, table, ok := qualified(w.db.Statement)
	if !ok {
		return nil
	}
	known := new(sync.Map)
	if w.seat.pool != nil {
		known = &w.seat.pool.indexes
	}
	name := database + "." + table
	if v, found := known.Load(name); found {
		return v.([][]string)
	}
	indexes, err := readIndexes(ctx, w.ConnPool, database, table)
	if err == nil {
		known.Store(name, indexes)
	}
	return indexes
}

// qualified returns the database, if the statement names one, and the table that is written.
func qualified(stmt *gorm.Statement) (database, table string, ok bool) {
	name := stmt.Table
	if stmt.TableExpr != nil {
		name = strings.ReplaceAll(tableText(stmt), "`", "")
	}
	if i := strings.IndexByte(name, '.'); i >= 0 {
		database, name = name[:i], name[i+1:]
	}
	return database, name, name != "" && !strings.ContainsAny(name, " \t\n.")
}

// A column without a name is an expression, and a part of one a prefix: no key of the model's is that.
const indexColumns = `SELECT index_name, CASE WHEN sub_part IS NULL THEN COALESCE(column_name, '') ELSE '' END
	FROM information_schema.statistics
	WHERE non_unique = 0 AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ?
	ORDER BY index_name, seq_in_index`

func readIndexes(ctx context.Context, c gorm.ConnPool, database, table string) (indexes [][]string, err error) {
	rows, err := c.QueryContext(ctx, indexColumns, database, table)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			indexes = nil
		}
	}()
	var last sql.NullString
	for rows.Next() {
		var index, column string
		if err := rows.Scan(&index, &column); err != nil {
			return nil, err
		}
		if !last.Valid || last.String != index {
			indexes = append(indexes, nil)
		}
		last = sql.NullString{String: index, Valid: true}
		indexes[len(indexes)-1] = append(indexes[len(indexes)-1], column)
	}
	return indexes, nil
}
