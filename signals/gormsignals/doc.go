// Package gormsignals publishes what GORM commits on a bus of package signals.
//
//	bus := signals.NewBus(signals.BusConfig{})
//	db, err := gorm.Open(postgres.Open(dsn))
//	…
//	err = db.Use(gormsignals.New(bus))
//
// From then on every write to a model that has rules on the bus becomes a change: Create, Save,
// Updates, UpdateColumn, Delete, soft deletes, upserts, associations, the generics API, SQL text
// given to Exec and Raw. Models need no hooks, and SkipHooks hides nothing.
//
// # When
//
// Changes are published after COMMIT and before Commit returns, so the writer reads its own writes;
// never after a ROLLBACK, even to a savepoint. This holds for GORM's automatic transactions, for
// Transaction, for nested ones and for Begin and Commit, with PrepareStmt in the config or in a
// session. A statement that commits by itself (SkipDefaultTransaction) publishes when it has been
// executed. Statements that failed, that wrote no row, or that DryRun only built publish nothing. A
// COMMIT with an uncertain outcome, such as a lost connection or a context cancelled mid-commit,
// publishes.
//
// # What
//
// A change holds the values that rules need, and says which those are. The previous values of
// updated and deleted rows are read in the same transaction just before, with the statement's own
// WHERE and under a row lock, and only if some rule needs them: a rule that maps only the primary
// key costs no query. New values are the previous ones overlaid with the assigned values, or are read
// back if only the database knows them. Some things cannot be known exactly: more than
// Config.MaxRows rows in one statement, SQL text, updates and deletes by other conditions than the
// primary key outside a transaction, conditions that a subquery or a function decides. They are
// published as unknown, and rules drop a wider group.
// Nothing is narrowed by a guess.
//
// # What it cannot see
//
// Writes and transactions that bypass GORM's connection pool: a *sql.DB used directly, transactions
// begun inside gorm.DB.Connection, a *sql.Tx put into a Statement, triggers and cascades inside the
// database, other programs. The plugin reports them where it can (see Config.RefuseUnseen and the
// errors of Plugin.Initialize), Config.Tables lists cascades, and Plugin.WrapConnector watches the
// driver itself. docs/invalidation.md has the whole list.
//
// The plugin replaces gorm.DB.ConnPool. gorm.DB.DB still returns the *sql.DB, and SQLTx the *sql.Tx
// of a transaction.
package gormsignals
