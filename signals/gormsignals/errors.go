package gormsignals

import "errors"

// What callers can test for with errors.Is.
var (
	// ErrNoPlugin is returned by Saved, Deleted and Publish for a *gorm.DB without the plugin, when
	// its context carries no signals.Tx either: nothing would say when the change is committed.
	ErrNoPlugin = errors.New("gormsignals: this database does not use the plugin, so nobody sees its commits; call db.Use(gormsignals.New(bus)) after gorm.Open")

	// ErrUnseenTx is the error of a write in a transaction whose COMMIT the plugin cannot see, with
	// Config.RefuseUnseen. Nothing was written.
	ErrUnseenTx = errors.New("gormsignals: this transaction was begun behind the plugin's back, so its COMMIT cannot be seen; begin it with db.Begin or db.Transaction, or open the database through Plugin.WrapConnector")

	// ErrTxConn is returned by Initialize for a *gorm.DB that was opened on a transaction.
	ErrTxConn = errors.New("gormsignals: this *gorm.DB was opened on a transaction, whose COMMIT cannot be seen; register the plugin on the one that begins it")

	// ErrResolverFirst is returned by Initialize when dbresolver was registered before the plugin:
	// it has then already taken the connection pools that the plugin must wrap.
	ErrResolverFirst = errors.New("gormsignals: dbresolver is registered already and holds pools that the plugin cannot see; call db.Use(gormsignals.New(bus)) before db.Use(dbresolver.Register(...))")
)

// PublishError says that the database has committed but a rule whose error policy is Return could
// not invalidate. It is what Commit, or the statement that committed by itself, returns.
type PublishError struct {
	Err error // what signals.Bus.Publish returned
}

// Error prints `gormsignals: committed, but not everything was invalidated: cause`.
func (e *PublishError) Error() string {
	return "gormsignals: committed, but not everything was invalidated: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PublishError) Unwrap() error { return e.Err }

// ReadError says that the plugin could not read the rows that a statement was about to change, or
// had changed, for another reason than that it may not. The statement fails with it, since a transaction in which a read has failed is not
// safe to go on with: PostgreSQL refuses further statements, MySQL has rolled it back after a deadlock.
type ReadError struct {
	Table string
	Err   error // the driver's error
}

// Error prints `gormsignals: read the rows of users that a write changes: cause`.
func (e *ReadError) Error() string {
	return "gormsignals: read the rows of " + e.Table + " that a write changes: " + e.Err.Error()
}

// Unwrap returns the driver's error.
func (e *ReadError) Unwrap() error { return e.Err }
