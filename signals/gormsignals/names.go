package gormsignals

import (
	"sync"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// names is how one database calls tables and columns, and how it writes SQL.
type names struct {
	plugin  *Plugin
	db      *gorm.DB // parses models; nil if the plugin watches connections alone
	dialect sniff.Dialect

	mu      sync.Mutex // held to replace current
	current atomic.Pointer[catalog]
}

// namesName is where gorm.Config.Plugins holds the names, which all sessions of a database share.
const namesName = "restflow:names"

// Name is part of gorm.Plugin.
func (n *names) Name() string { return namesName }

// Initialize is part of gorm.Plugin.
func (n *names) Initialize(*gorm.DB) error { return nil }

// remember makes the names of a database.
func (p *Plugin) remember(db *gorm.DB) *names {
	if n, ok := db.Plugins[namesName].(*names); ok && n.plugin == p {
		return n // dbresolver opens its pools with a copy of the config
	}
	n := &names{plugin: p, db: db, dialect: sniff.For(db.Dialector.Name())}
	db.Plugins[namesName] = n
	if first := p.first.Load(); first == nil || first.db == nil {
		p.first.Store(n)
	}
	return n
}

// names returns those of the database of a session.
func (p *Plugin) names(db *gorm.DB) *names {
	if n, ok := db.Plugins[namesName].(*names); ok {
		return n
	}
	return p.firstNames()
}

// firstNames returns the names of the first database, for connections, which do not know to which they lead.
// Before there is one, GORM's defaults hold.
func (p *Plugin) firstNames() *names {
	if p.first.Load() == nil {
		p.first.CompareAndSwap(nil, &names{plugin: p, dialect: sniff.For("")})
	}
	return p.first.Load()
}

// parser returns what parses models.
func (n *names) parser() *gorm.DB {
	if n.db != nil {
		return n.db
	}
	bare, _ := gorm.Open(nil, &gorm.Config{}) // nothing that could fail is asked of it
	return bare
}
