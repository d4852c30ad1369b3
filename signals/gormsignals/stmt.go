package gormsignals

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// stmt is a prepared statement of a watched connection.
type stmt struct {
	driver.Stmt
	conn  *conn
	query string
}

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	if d, ok := s.Stmt.(driver.StmtExecContext); ok {
		result, err = d.ExecContext(ctx, args)
	} else {
		var values []driver.Value
		if values, err = positional(ctx, args); err == nil {
			result, err = s.Stmt.Exec(values) //nolint:staticcheck // all that this driver has
		}
	}
	return result, s.conn.executed(ctx, s.query, result, err)
}

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	if d, ok := s.Stmt.(driver.StmtQueryContext); ok {
		rows, err = d.QueryContext(ctx, args)
	} else {
		var values []driver.Value
		if values, err = positional(ctx, args); err == nil {
			rows, err = s.Stmt.Query(values) //nolint:staticcheck // all that this driver has
		}
	}
	return s.conn.queried(ctx, s.query, rows, err)
}

// CheckNamedValue implements driver.NamedValueChecker, which a driver may have on either.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if d, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return d.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

// ColumnConverter implements driver.ColumnConverter, which CheckNamedValue falls back to.
func (s *stmt) ColumnConverter(i int) driver.ValueConverter {
	if d, ok := s.Stmt.(interface {
		ColumnConverter(i int) driver.ValueConverter
	}); ok {
		return d.ColumnConverter(i)
	}
	return driver.DefaultParameterConverter
}

// positional drops the names that a driver without contexts cannot take.
func positional(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("gormsignals: the driver does not support named parameters; use positional ones")
		}
		values[i] = a.Value
	}
	return values, ctx.Err()
}

// connRows tells when rows are closed. database/sql asks rows for more interfaces; what the driver
// lacks is answered as database/sql would.
type connRows struct {
	driver.Rows
	closed func()
}

// Close closes the rows.
func (r *connRows) Close() error {
	err := r.Rows.Close()
	if r.closed != nil {
		r.closed()
		r.closed = nil
	}
	return err
}

// HasNextResultSet implements driver.RowsNextResultSet.
func (r *connRows) HasNextResultSet() bool {
	d, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && d.HasNextResultSet()
}

// NextResultSet implements driver.RowsNextResultSet.
func (r *connRows) NextResultSet() error {
	if d, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return d.NextResultSet()
	}
	return io.EOF
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *connRows) ColumnTypeScanType(i int) reflect.Type {
	if d, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return d.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *connRows) ColumnTypeDatabaseTypeName(i int) string {
	if d, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return d.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *connRows) ColumnTypeLength(i int) (int64, bool) {
	if d, ok := r.Rows.(driver.RowsColumnTypeLength); ok {
		return d.ColumnTypeLength(i)
	}
	return 0, false
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *connRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if d, found := r.Rows.(driver.RowsColumnTypeNullable); found {
		return d.ColumnTypeNullable(i)
	}
	return false, false
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *connRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if d, found := r.Rows.(driver.RowsColumnTypePrecisionScale); found {
		return d.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
