package gormsignals

import (
	"context"
	"database/sql/driver"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
)

// WrapConnector returns a connector whose connections the plugin watches, for what it cannot see
// through GORM: a *sql.DB used beside it, transactions begun inside gorm.DB.Connection, a *sql.Tx put
// into a Statement. Open the database with it and give GORM the result:
//
//	plugin := gormsignals.New(bus)
//	pool := sql.OpenDB(plugin.WrapConnector(connector))
//	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}))
//	…
//	err = db.Use(plugin)
//
// Writes by GORM are as exact as without it. Other writes are known by their SQL text: they become
// one Bulk change of every model whose table they name, published after the COMMIT that the
// connection sees, or after the statement outside a transaction. Without GORM, the default naming
// strategy gives the tables of the models.
//
// A connection that code obtains by sql.Conn.Raw is the plugin's; its method Unwrap returns the
// driver's.
func (p *Plugin) WrapConnector(c driver.Connector) driver.Connector {
	p.wrapped.Store(true)
	return &connector{Connector: c, plugin: p}
}

type connector struct {
	driver.Connector
	plugin *Plugin
}

// Connect opens a watched connection.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw, plugin: c.plugin, queue: queue{bus: c.plugin.bus}}, nil
}

// Driver returns a driver by which the plugin knows its own pools.
func (c *connector) Driver() driver.Driver {
	return watchedDriver{c.Connector.Driver(), c.plugin}
}

// Close closes a connector that can be closed, as sql.DB.Close asks.
func (c *connector) Close() error {
	if closer, ok := c.Connector.(interface{ Close() error }); ok {
		return closer.Close()
	}
	return nil
}

type watchedDriver struct {
	driver.Driver
	plugin *Plugin
}

// watchesDriver reports whether the pool that db runs on was opened with the plugin's connector.
func (p *Plugin) watchesDriver(db *gorm.DB) bool {
	if !p.wrapped.Load() {
		return false
	}
	pool, err := db.DB()
	if err != nil || pool == nil {
		return false
	}
	d, ok := pool.Driver().(watchedDriver)
	return ok && d.plugin == p
}

// sink marks the context of a statement that GORM's side of the plugin watches: the connection then
// keeps its hands off, and says which one it is.
type sink struct{ conn *conn }

type sinkKey struct{}

// mark returns a context with a sink, if connections of the plugin's may look for one.
func (p *Plugin) mark(ctx context.Context) (context.Context, *sink) {
	if !p.wrapped.Load() {
		return ctx, nil
	}
	s := new(sink)
	return context.WithValue(ctx, sinkKey{}, s), s
}

// deliver queues changes of a statement that ran on the marked connection.
func (s *sink) deliver(ctx context.Context, changes []signals.Change) error {
	if len(changes) == 0 {
		return nil
	}
	return s.conn.deliver(ctx, changes)
}
