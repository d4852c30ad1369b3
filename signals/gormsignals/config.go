package gormsignals

import "log/slog"

// Config configures a Plugin. The zero value is useful.
type Config struct {
	// MaxRows is the number of rows that one statement may concern for each of them to become a
	// change with its values. One more and the statement becomes one Bulk change, which
	// invalidates whole caches. It bounds the rows read before an update or delete as well.
	// Default 1,000.
	MaxRows int

	// Tables lists models that a write to a table changes besides the models stored in it:
	// through a view, a trigger, a foreign key with ON DELETE CASCADE, a partition with a name of
	// its own. They become Bulk changes. The names are compared without schema and letter case.
	//
	//	Tables: map[string][]any{"users": {Order{}}} // deleting a user deletes their orders
	Tables map[string][]any

	// NoReads keeps the plugin from reading rows. What it would have read is unknown, and
	// unknown widens. Default: rows are read when a rule needs their values.
	NoReads bool

	// RefuseUnseen makes a write of a registered model fail with ErrUnseenTx if it runs in a
	// transaction that the plugin cannot see committing. Default: the write goes on, its
	// invalidation is published at once, which may be too early, and the log says so at level
	// error.
	RefuseUnseen bool

	// Logger hears of transactions that cannot be seen and of uncertain outcomes. Default
	// slog.Default().
	Logger *slog.Logger
}

func (c *Config) setDefaults() {
	if c.MaxRows <= 0 {
		c.MaxRows = 1000
	}
}

func (c *Config) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.Default()
}
