package gormsignals

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// entry is a model that somebody listens to, with what they need.
type entry struct {
	*model
	need        signals.Need
	columns     []*schema.Field // to be supplied, primary key included
	columnNames []string        // their Go names; nil if they are all there is
	reductions  *sync.Map       // to the entries for smaller needs, by needKey
}

func newEntry(m *model, need signals.Need) *entry {
	e := &entry{model: m, need: need, columns: m.wanted(need), reductions: new(sync.Map)}
	if !m.whole || !covers(e.columns, m.columns) {
		e.columnNames = slices.Clip(m.names(e.columns))
	}
	return e
}

// reduced is the entry for a statement that only some of the rules listen to.
func (e *entry) reduced(need signals.Need) *entry {
	if len(need.Fields) == len(e.need.Fields) && need.Whole == e.need.Whole && need.Narrow == e.need.Narrow {
		return e
	}
	key := needKey{strings.Join(need.Fields, ","), need.Whole, need.Narrow, need.Subscribed}
	if r, ok := e.reductions.Load(key); ok {
		return r.(*entry)
	}
	r, _ := e.reductions.LoadOrStore(key, newEntry(e.model, need))
	return r.(*entry)
}

type needKey struct {
	fields                    string
	whole, narrow, subscribed bool
}

// catalog is what the plugin derived from one generation of the bus's rules. It is immutable, but
// for models that only subscribers listen to, which are added as they are seen.
type catalog struct {
	generation any
	byType     map[reflect.Type]*entry
	byTable    map[string][]*entry // models stored in the table
	further    map[string][]*entry // models that Config.Tables adds
	all        []*entry

	subscribed bool     // somebody listens to every model
	others     sync.Map // reflect.Type to *entry
}

// catalog returns the current catalog. Its common case is two atomic loads.
func (n *names) catalog() *catalog {
	c := n.current.Load()
	if generation := n.plugin.bus.Generation(); c == nil || c.generation != generation {
		return n.rebuild(generation)
	}
	return c
}

func (n *names) rebuild(generation any) *catalog {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.current.Load(); c != nil && c.generation == generation {
		return c
	}
	c := &catalog{
		generation: generation,
		byType:     map[reflect.Type]*entry{},
		byTable:    map[string][]*entry{},
		further:    map[string][]*entry{},
	}
	_, c.subscribed = n.plugin.bus.Wants(reflect.TypeFor[struct{}]())
	for _, t := range n.plugin.bus.Models() {
		if e := n.entry(t); e != nil {
			c.add(e)
		}
	}
	for table, models := range n.plugin.config.Tables {
		for _, m := range models {
			if e := c.byType[structType(reflect.TypeOf(m))]; e != nil {
				c.further[tableName(table)] = append(c.further[tableName(table)], e)
			}
		}
	}
	n.current.Store(c)
	return c
}

func (c *catalog) add(e *entry) {
	c.byType[e.typ] = e
	c.byTable[e.table] = append(c.byTable[e.table], e)
	c.all = append(c.all, e)
}

// entry makes the entry of a model; nil if GORM cannot store it, which is no fault: rules may
// listen to models of other sources.
func (n *names) entry(t reflect.Type) *entry {
	need, ok := n.plugin.bus.Wants(t)
	if !ok || t.Kind() != reflect.Struct {
		return nil
	}
	m, err := newModel(n.parser(), t)
	if err != nil {
		if !errors.Is(err, schema.ErrUnsupportedDataType) {
			n.plugin.config.logger().Warn("gormsignals: a model with rules is not one that GORM can store; its writes are not seen", "model", t, "error", err)
		}
		return nil
	}
	return newEntry(m, need)
}

// wanted lists the columns of a need, after the primary key.
func (m *model) wanted(need signals.Need) []*schema.Field {
	columns := slices.Clone(m.schema.PrimaryFields)
	add := func(fields []*schema.Field) {
		for _, f := range fields {
			if f.Readable && !slices.Contains(columns, f) {
				columns = append(columns, f)
			}
		}
	}
	if need.Whole {
		add(m.columns)
	}
	for _, path := range need.Fields {
		add(m.find(path))
	}
	return columns
}

// subjects are the registered models that a statement writes.
type subjects struct {
	own     *entry   // the statement's own model
	table   []*entry // other models of the same table
	further []*entry // by Config.Tables
}

func (s subjects) none() bool { return s.own == nil && len(s.table) == 0 && len(s.further) == 0 }

// subjects finds the models of a statement: by type and, since other types and plain maps are
// written too, by table.
func (n *names) subjects(stmt *gorm.Statement) (s subjects) {
	c := n.catalog()
	if stmt.Schema != nil {
		s.own = c.byType[stmt.Schema.ModelType]
		if s.own == nil && c.subscribed {
			s.own = n.other(c, stmt.Schema.ModelType)
		}
	}
	if len(c.all) == 0 {
		return s
	}
	tables := written(stmt)
	if len(tables) == 0 {
		s.in(c, tableName(stmt.Table))
	}
	for _, table := range tables {
		s.in(c, table)
	}
	if len(tables) > 1 {
		s.join()
	}
	return s
}

// in adds the models that a write to a table changes.
func (s *subjects) in(c *catalog, table string) {
	s.further = append(s.further, c.further[table]...)
	for _, e := range c.byTable[table] {
		if e != s.own {
			s.table = append(s.table, e)
		}
	}
}

// join makes bulk changes of everything: of several tables that MySQL writes in one statement, no model's own
// conditions tell the rows.
func (s *subjects) join() {
	if s.own != nil {
		s.table = append(s.table, s.own)
	}
	s.further = append(s.further, s.table...)
	s.own, s.table = nil, nil
}

// written returns the tables that a statement writes, where GORM has text for them: a name may be quoted
// there, have an alias, or stand beside others.
func written(stmt *gorm.Statement) []string {
	if stmt.TableExpr == nil {
		return nil
	}
	for _, s := range sniff.Parse("UPDATE "+tableText(stmt)+" SET", sniff.For(stmt.Dialector.Name())) {
		if len(s.Tables) > 0 {
			return s.Tables
		}
	}
	return nil
}

// tableText is what stands for the table in SQL, with the names that were given as arguments.
func tableText(stmt *gorm.Statement) string {
	if len(stmt.TableExpr.Vars) == 0 {
		return stmt.TableExpr.SQL
	}
	db := &gorm.DB{Config: stmt.Config}
	db.Statement = &gorm.Statement{DB: db, Table: stmt.Table, Schema: stmt.Schema, Context: stmt.Context, Clauses: map[string]clause.Clause{}}
	stmt.TableExpr.Build(db.Statement)
	return db.Statement.SQL.String()
}

// other returns the entry of a model that only subscribers listen to.
func (n *names) other(c *catalog, t reflect.Type) *entry {
	if e, ok := c.others.Load(t); ok {
		return e.(*entry)
	}
	e := n.entry(t)
	if e != nil {
		c.others.Store(t, e)
	}
	return e
}

func structType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}
