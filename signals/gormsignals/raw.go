package gormsignals

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// beforeExec watches gorm.DB.Exec.
func (p *Plugin) beforeExec(db *gorm.DB) { p.watchSQL(db) }

// beforeQuery watches Raw with Find and its like; a query that GORM builds itself has no SQL yet. What
// such a statement returns is not the number of rows that it wrote.
func (p *Plugin) beforeQuery(db *gorm.DB) {
	if w := p.watchSQL(db); w != nil {
		w.uncounted = true
	}
}

// beforeRow watches Raw with Row, Rows and Scan. Outside a transaction such a statement commits when
// the caller has read the rows, after all callbacks: then its changes are published.
func (p *Plugin) beforeRow(db *gorm.DB) {
	w := p.watchSQL(db)
	if w == nil || len(w.works) == 0 || w.atomic() {
		return
	}
	ctx := context.WithoutCancel(db.Statement.Context)
	w.onClose = func() {
		_ = p.deliver(ctx, w.seat, w.bulk()) // reported by the bus; there is nobody to return it to
	}
}

// watchSQL puts a watch on SQL text that writes a registered table, or that steers a transaction by a
// way that tx does not see.
func (p *Plugin) watchSQL(db *gorm.DB) *watch {
	stmt := db.Statement
	if db.Error != nil || db.DryRun || stmt.SQL.Len() == 0 || stmt.ConnPool == nil {
		return nil
	}
	sql := stmt.SQL.String()
	s := seatOf(stmt.ConnPool)
	_, direct := stmt.ConnPool.(*tx)
	follow := s.tx != nil && !direct && mayControl(sql)
	text := p.names(db).sniff(sql)
	if len(text.works) == 0 && !follow {
		return nil
	}
	p.adopt(db)
	w := p.watch(db, text.works)
	w.uncounted, w.several, w.follow = !text.counted, text.several, follow
	return w
}

// text is what SQL text does.
type text struct {
	works   []work
	counted bool // one plain statement: no rows affected means that nothing was written
	several bool // an error need not mean that nothing was written
}

func (n *names) sniff(sql string) (t text) {
	c := n.catalog()
	if len(c.all) == 0 || isSelect(sql) {
		return t
	}
	statements := sniff.Parse(sql, n.dialect)
	t.counted, t.several = len(statements) == 1, len(statements) > 1
	seen := map[*entry]bool{}
	for _, s := range statements {
		t.counted = t.counted && s.Counted && !(n.dialect.Views && c.leadsOn(s))
		for _, e := range c.written(s) {
			if !seen[e] {
				seen[e] = true
				t.works = append(t.works, &whole{entry: e, op: signals.AnyOp})
			}
		}
	}
	return t
}

// isSelect recognises the text that is given most often. What a function in it may write is beyond
// any text.
func isSelect(sql string) bool {
	sql = strings.TrimSpace(sql)
	return len(sql) > 6 && strings.EqualFold(sql[:6], "SELECT") && strings.IndexByte(sql, ';') < 0
}

// leadsOn reports whether a statement writes a table that Config.Tables lists, which may be a view.
func (c *catalog) leadsOn(s sniff.Statement) bool {
	return slices.ContainsFunc(s.Tables, func(table string) bool { return len(c.further[table]) > 0 })
}

// written lists the models that a statement writes. An unknown one may write any.
func (c *catalog) written(s sniff.Statement) []*entry {
	switch s.Verb {
	case sniff.Unknown:
		return c.all
	case sniff.Write:
		var models []*entry
		for _, table := range s.Tables {
			models = append(models, c.byTable[table]...)
			models = append(models, c.further[table]...)
		}
		return models
	}
	return nil
}
