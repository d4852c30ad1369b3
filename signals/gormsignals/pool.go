package gormsignals

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// pool stands before a connection pool, so that the transactions it begins are seen committing. It
// passes everything else on.
type pool struct {
	gorm.ConnPool
	plugin *Plugin
	names  *names

	indexes  sync.Map // see watch.indexes
	views    sync.Map // see watch.isView
	readable sync.Map // see watch.guarded
}

// wrap puts a pool before c, below GORM's cache of prepared statements, which expects to see the
// transactions of the pool under it.
func (n *names) wrap(c gorm.ConnPool) gorm.ConnPool {
	switch v := c.(type) {
	case nil, *pool, gorm.TxCommitter:
		return c
	case *gorm.PreparedStmtDB:
		if inner := n.wrap(v.ConnPool); inner != v.ConnPool {
			return &gorm.PreparedStmtDB{ConnPool: inner, Mux: v.Mux, Stmts: v.Stmts}
		}
		return c
	}
	return &pool{ConnPool: c, plugin: n.plugin, names: n}
}

// BeginTx is what gorm.DB.Begin calls. On failure the transaction is a nil *tx, as database/sql
// returns a nil *sql.Tx: GORM's Rollback of a transaction that never began relies on it.
func (p *pool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	raw, err := begin(ctx, p.ConnPool, opts)
	if err != nil {
		return (*tx)(nil), err
	}
	return newTx(ctx, p, raw, opts)
}

func begin(ctx context.Context, c gorm.ConnPool, opts *sql.TxOptions) (gorm.ConnPool, error) {
	switch b := c.(type) {
	case gorm.TxBeginner:
		return b.BeginTx(ctx, opts)
	case gorm.ConnPoolBeginner:
		return b.BeginTx(ctx, opts)
	}
	return nil, gorm.ErrInvalidTransaction
}

// GetDBConn keeps gorm.DB.DB working. A *sql.Conn has no *sql.DB to give: nil without an error lets
// GORM report that in its own words.
func (p *pool) GetDBConn() (*sql.DB, error) {
	switch c := p.ConnPool.(type) {
	case *sql.DB:
		return c, nil
	case gorm.GetDBConnector:
		return c.GetDBConn()
	}
	return nil, nil
}

// Ping checks the connection, as gorm.Open does.
func (p *pool) Ping() error {
	if c, ok := p.ConnPool.(interface{ Ping() error }); ok {
		return c.Ping()
	}
	if c, ok := p.ConnPool.(interface{ PingContext(context.Context) error }); ok {
		return c.PingContext(context.Background())
	}
	return nil
}
