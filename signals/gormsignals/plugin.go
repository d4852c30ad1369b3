package gormsignals

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
)

// pluginName is where gorm.Config.Plugins holds the plugin.
const pluginName = "restflow:signals"

// Plugin is a gorm.Plugin that publishes committed writes on a bus. Make one with New and give it
// to gorm.DB.Use, once for each database; databases may share one. It is safe for concurrent
// use.
type Plugin struct {
	bus    *signals.Bus
	config Config

	first   atomic.Pointer[names] // of the first database
	wrapped atomic.Bool           // WrapConnector was called
	warned  sync.Map              // what was reported once: a string
}

// New returns a plugin that publishes on bus. At most one Config is used; without one the defaults
// apply.
func New(bus *signals.Bus, config ...Config) *Plugin {
	p := &Plugin{bus: bus}
	if len(config) > 0 {
		p.config = config[0]
	}
	p.config.setDefaults()
	return p
}

// Name is the plugin's name in GORM.
func (p *Plugin) Name() string { return pluginName }

// Initialize is called by gorm.DB.Use. It puts the plugin before the connection pool and registers
// its callbacks. It fails with ErrTxConn on a transaction and with ErrResolverFirst after dbresolver.
//
// Of sessions that were made from db before, single statements are seen: their pool is wrapped when they are
// used. A transaction that such a session begins is not seen committing; it is treated as Config.RefuseUnseen says.
func (p *Plugin) Initialize(db *gorm.DB) error {
	if _, ok := db.ConnPool.(gorm.TxCommitter); ok {
		return ErrTxConn
	}
	if _, ok := db.Plugins["gorm:db_resolver"]; ok {
		return ErrResolverFirst
	}
	n := p.remember(db)
	if prepared, ok := db.ConnPool.(*gorm.PreparedStmtDB); ok {
		prepared.ConnPool = n.wrap(prepared.ConnPool) // GORM's sessions share this one
	} else {
		db.ConnPool = n.wrap(db.ConnPool)
	}
	if db.Statement != nil {
		db.Statement.ConnPool = db.ConnPool
	}
	return p.register(db)
}

// register adds the callbacks. Those around a write stand as close to it as possible: hooks and
// associations run outside, so that an error of theirs is not taken for one of the statement.
func (p *Plugin) register(db *gorm.DB) error {
	c := db.Callback()
	first := func(standing, otherwise string) string {
		if c.Create().Get(standing) != nil {
			return standing
		}
		return otherwise // SkipDefaultTransaction in the config leaves the transaction callbacks out
	}
	const begin = "gorm:begin_transaction"
	return errors.Join(
		c.Create().Before(first(begin, "gorm:before_create")).Register("restflow:adopt", p.adopt),
		c.Create().After("gorm:save_before_associations").Before("gorm:create").Register("restflow:before", p.before(p.creating)),
		c.Create().After("gorm:create").Before("gorm:save_after_associations").Register("restflow:after", p.after),
		c.Update().Before(first(begin, "gorm:setup_reflect_value")).Register("restflow:adopt", p.adopt),
		c.Update().After("gorm:save_before_associations").Before("gorm:update").Register("restflow:before", p.before(p.updating)),
		c.Update().After("gorm:update").Before("gorm:save_after_associations").Register("restflow:after", p.after),
		c.Delete().Before(first(begin, "gorm:before_delete")).Register("restflow:adopt", p.adopt),
		c.Delete().After("gorm:delete_before_associations").Before("gorm:delete").Register("restflow:before", p.before(p.deleting)),
		c.Delete().After("gorm:delete").Before("gorm:after_delete").Register("restflow:after", p.after),
		c.Raw().Before("gorm:raw").Register("restflow:before", p.beforeExec),
		c.Raw().After("gorm:raw").Register("restflow:after", p.after),
		c.Row().Before("gorm:row").Register("restflow:before", p.beforeRow),
		c.Row().After("gorm:row").Register("restflow:after", p.after),
		c.Query().Before("gorm:query").Register("restflow:before", p.beforeQuery),
		c.Query().After("gorm:query").Before("gorm:preload").Register("restflow:after", p.after),
	)
}

// adopt wraps a pool that the plugin was not given: a session older than the plugin, or
// gorm.DB.Connection.
func (p *Plugin) adopt(db *gorm.DB) {
	db.Statement.ConnPool = p.names(db).wrap(db.Statement.ConnPool)
}

// seat is where the changes of a statement wait for the commit that makes them true.
type seat struct {
	tx     *tx   // nil: the statement commits by itself
	unseen bool  // the statement runs in a transaction that nobody follows
	pool   *pool // what either came from; nil if it is not the plugin's
}

func seatOf(c gorm.ConnPool) seat {
	for {
		switch v := c.(type) {
		case *tx:
			if v == nil {
				return seat{unseen: true}
			}
			return seat{tx: v, pool: v.pool}
		case *gorm.PreparedStmtTX:
			c = v.Tx
		case *gorm.PreparedStmtDB:
			c = v.ConnPool
		case *watch:
			c = v.ConnPool
		case *pool:
			return seat{pool: v}
		default:
			_, committer := c.(gorm.TxCommitter)
			return seat{unseen: committer}
		}
	}
}

// deliver queues changes for their commit, or publishes them if that is over.
func (p *Plugin) deliver(ctx context.Context, s seat, changes []signals.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if s.tx != nil && !s.tx.ended.Load() && s.tx.queue.add(changes...) {
		return nil
	}
	if err := p.bus.Publish(ctx, changes...); err != nil {
		return &PublishError{err}
	}
	return nil
}

// reportUnseen tells once of each kind of connection whose commits cannot be seen.
func (p *Plugin) reportUnseen(ctx context.Context, kind, table string) {
	if _, told := p.warned.LoadOrStore(kind, true); told {
		return
	}
	p.config.logger().ErrorContext(ctx,
		"gormsignals: a write runs in a transaction that was begun behind the plugin's back; its invalidation is published at once, perhaps before the COMMIT. Begin it with db.Begin or db.Transaction, or open the database through Plugin.WrapConnector",
		"connection", kind, "table", table)
}
