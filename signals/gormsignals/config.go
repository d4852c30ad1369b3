package gormsignals

import "log/slog"

// Config configures a Plugin. The zero value is useful.
type Config struct {
	// MaxRows is the most rows of one statement that become a change each, with their values. With
	// more rows the statement becomes one Bulk change, which invalidates whole caches. It also
	// bounds the rows read before an update or delete. Default 1,000.
	MaxRows int

	// Tables lists models that a write to a table changes besides the models stored in it:
	// through a view, a trigger, a foreign key with ON DELETE CASCADE, a partition with a name of
	// its own. They get Bulk changes. The names are compared without schema and letter case.
	//
	//	Tables: map[string][]any{"users": {Order{}}} // deleting a user deletes their orders
	Tables map[string][]any

	// NoReads keeps the plugin from reading rows. Values that it would have read are then unknown,
	// so rules drop wider groups. Default: rows are read when a rule needs their values.
	NoReads bool

	// RefuseUnseen makes a write of a registered model fail with ErrUnseenTx if it runs in a
	// transaction whose COMMIT the plugin cannot see. Default: the write proceeds, its change is
	// published at once, which may be too early, and an error is logged.
	RefuseUnseen bool

	// Logger gets transactions that cannot be seen and uncertain outcomes. Default
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
