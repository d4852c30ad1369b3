package gormsignals

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// expired ends a transaction whose context has ended, without a COMMIT. database/sql refuses to commit it
// too, with the same errors, but leaves open whether the refusal was its own or the driver's.
func (t *tx) expired() error {
	raw, ok := t.raw.(*sql.Tx)
	if !ok || t.ctx.Err() == nil || t.ended.Load() {
		return nil
	}
	if err := raw.Rollback(); errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return t.ctx.Err()
}

// rolledBack reports whether a failed Commit certainly left nothing behind.
//
// database/sql returns sql.ErrTxDone, or the context's own error, without having sent a COMMIT: the
// first when the transaction was ended before (by its context or by its owner), the second when
// its context ended and nobody had rolled back yet. A driver may return the context's error too,
// after it has sent the COMMIT. Rolling back tells them apart, since it is refused once a COMMIT
// was sent.
func (t *tx) rolledBack(err error) bool {
	switch err {
	case sql.ErrTxDone: //nolint:errorlint // a wrapped one is a driver's
		return true
	case context.Canceled, context.DeadlineExceeded:
		return !errors.Is(t.raw.Rollback(), sql.ErrTxDone)
	}
	return commitRefused(err)
}

// commitRefused recognises what servers say when they turn a COMMIT into a rollback: SQLSTATE class
// 23 (a deferred constraint) and 40 (serialization; but 40003 means unknown), and
// 25P02, which the drivers of PostgreSQL tell in words.
func commitRefused(err error) bool {
	if state := sqlState(err); state != "" {
		return strings.HasPrefix(state, "23") || state == "25P02" || strings.HasPrefix(state, "40") && state != "40003"
	}
	switch err.Error() {
	case "commit unexpectedly resulted in rollback", "pq: Could not complete operation in a failed transaction":
		return true
	}
	return false
}

// refused reports whether a failed statement certainly wrote nothing: the server said so, or GORM
// or database/sql never sent it. A statement is atomic on every database with transactions.
// Anything else, a lost connection above all, may have been executed.
func refused(err error) bool {
	if err == sql.ErrTxDone { //nolint:errorlint // a wrapped one is a driver's
		return true
	}
	if state := sqlState(err); state != "" {
		return !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57P") && state != "40003"
	}
	for _, own := range gormErrors {
		if errors.Is(err, own) {
			return true
		}
	}
	return serverError(err)
}

// gormErrors are what GORM itself says, before it sends a statement or in translating the server's.
var gormErrors = []error{
	gorm.ErrMissingWhereClause, gorm.ErrInvalidData, gorm.ErrInvalidField, gorm.ErrInvalidValue, gorm.ErrEmptySlice,
	gorm.ErrModelValueRequired, gorm.ErrPrimaryKeyRequired, gorm.ErrModelAccessibleFieldsRequired, gorm.ErrUnsupportedRelation,
	gorm.ErrInvalidValueOfLength, gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, gorm.ErrCheckConstraintViolated,
}

// sqlState is what the drivers of PostgreSQL, and some others, carry in their errors.
func sqlState(err error) string {
	var s interface{ SQLState() string }
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// serverErrors are the types in which drivers report what a server, or an engine, refused. Their
// names stand here instead of imports, so that no driver reaches a user's build through this
// package.
var serverErrors = map[string]bool{
	"*mysql.MySQLError": true, "*sqlite.Error": true, "sqlite3.Error": true, "*sqlite3.Error": true, "mssql.Error": true,
}

func serverError(err error) bool {
	for err != nil {
		if serverErrors[reflect.TypeOf(err).String()] {
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

// deadlocked recognises the error by which MySQL tells that it has rolled back the whole transaction, and
// not only the statement.
func deadlocked(err error) bool { return mysqlNumber(err) == 1213 }

// mysqlNumber returns the number of a server's error, or zero.
func mysqlNumber(err error) uint64 {
	for ; err != nil; err = errors.Unwrap(err) {
		if v := reflect.ValueOf(err); v.Type().String() == "*mysql.MySQLError" && !v.IsNil() {
			if number := v.Elem().FieldByName("Number"); number.CanUint() {
				return number.Uint()
			}
		}
	}
	return 0
}
