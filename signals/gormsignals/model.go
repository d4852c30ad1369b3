package gormsignals

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// model is a registered model: how its Go fields and its columns correspond.
type model struct {
	typ    reflect.Type
	schema *schema.Schema
	table  string // as tableName makes it

	columns  []*schema.Field            // that can be read, in the order of the struct
	paths    map[*schema.Field][]string // each column's Go names: promoted and in full
	byPath   map[string]*schema.Field   // the same, the other way
	owners   map[string]owner           // "Owner.ID": what a foreign key says of the row it points to
	pointers [][]int                    // see copyOf
	derived  []*schema.Field            // that GORM only reads: the database makes them of others
	soft     []*schema.Field            // whose value says whether the row is deleted
	whole    bool                       // the columns are all there is: no associations, no ignored fields
}

// owner is the one thing known of an associated row that was not loaded: its key.
type owner struct {
	rel *schema.Relationship
	ref *schema.Reference
}

// tableName folds a table's name for comparison: schemas, quotes and letter case vary with who writes it.
func tableName(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(strings.Trim(name, "\"`[]"))
}

func newModel(db *gorm.DB, t reflect.Type) (*model, error) {
	stmt := &gorm.Statement{DB: db}
	if err := stmt.Parse(reflect.New(t).Interface()); err != nil {
		return nil, err
	}
	m := &model{
		typ:    t,
		schema: stmt.Schema,
		table:  tableName(stmt.Schema.Table),
		paths:  map[*schema.Field][]string{},
		byPath: map[string]*schema.Field{},
		owners: map[string]owner{},
		whole:  true,
	}
	for _, f := range stmt.Schema.Fields {
		m.addField(f)
	}
	for _, rel := range stmt.Schema.Relationships.BelongsTo {
		m.addOwner(rel)
	}
	return m, nil
}

func (m *model) addField(f *schema.Field) {
	switch {
	case f.EmbeddedSchema != nil:
	case f.DBName == "" || !f.Readable || f.IgnoreMigration && !f.Updatable: // perhaps no column at all
		m.whole = false
	default:
		m.columns = append(m.columns, f)
		m.addPointers(f)
		if !f.Creatable && !f.Updatable {
			m.derived = append(m.derived, f)
		}
		if _, ok := reflect.TypeAssert[schema.DeleteClausesInterface](reflect.New(f.IndirectFieldType)); ok {
			m.soft = append(m.soft, f)
		}
		m.paths[f] = goPaths(m.typ, f.BindNames)
		for _, path := range m.paths[f] {
			m.byPath[path] = f
		}
	}
}

// goPaths lists the ways to write a field in Go. gorm.Model's ID is "Model.ID" and, promoted, "ID".
func goPaths(t reflect.Type, names []string) []string {
	full := strings.Join(names, ".")
	var short []string
	for _, name := range names {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f, ok := t.FieldByName(name)
		if !ok {
			return []string{full}
		}
		if !f.Anonymous || f.Type.Kind() != reflect.Struct && f.Type.Kind() != reflect.Pointer {
			short = append(short, name)
		}
		t = f.Type
	}
	if promoted := strings.Join(short, "."); promoted != full && len(short) > 0 {
		return []string{promoted, full}
	}
	return []string{full}
}

func (m *model) addOwner(rel *schema.Relationship) {
	for _, ref := range rel.References {
		if ref.OwnPrimaryKey || ref.PrimaryValue != "" || ref.PrimaryKey == nil {
			continue
		}
		m.owners[rel.Name+"."+ref.PrimaryKey.Name] = owner{rel, ref}
	}
}

// find returns the columns that hold what a dotted Go path reads. A path into a column's value reads
// the column, one that names an embedded struct all of its columns, and the key of a
// belongs-to association is read from the foreign key.
func (m *model) find(path string) []*schema.Field {
	if o, ok := m.owners[path]; ok {
		return []*schema.Field{o.ref.ForeignKey}
	}
	for outer := path; ; {
		if f := m.byPath[outer]; f != nil {
			return []*schema.Field{f}
		}
		i := strings.LastIndexByte(outer, '.')
		if i < 0 {
			break
		}
		outer = outer[:i]
	}
	var within []*schema.Field
	for _, f := range m.columns {
		for _, p := range m.paths[f] {
			if strings.HasPrefix(p, path+".") {
				within = append(within, f)
				break
			}
		}
	}
	return within
}

// names lists the Go names of columns.
func (m *model) names(columns []*schema.Field) []string {
	names := make([]string, 0, len(columns)+2)
	for _, f := range columns {
		names = append(names, m.paths[f]...)
	}
	return names
}

// column finds the field of a column's name, as it stands in a statement.
func (m *model) column(name string) *schema.Field {
	if name == clause.PrimaryKey {
		return m.schema.PrioritizedPrimaryField
	}
	return m.schema.LookUpField(name)
}

// keyed reports whether every primary key field of a row is set, and that there is one.
func (m *model) keyed(row reflect.Value) bool {
	for _, f := range m.schema.PrimaryFields {
		if _, zero := f.ValueOf(context.Background(), row); zero {
			return false
		}
	}
	return len(m.schema.PrimaryFields) > 0
}

// copyOf returns a pointer to a copy of a row. Pointers on the way to columns, and columns that are
// pointers, get pointees of their own, since GORM sets values through them.
func (m *model) copyOf(row reflect.Value) reflect.Value {
	c := reflect.New(m.typ)
	c.Elem().Set(reflect.Indirect(row))
	for _, path := range m.pointers {
		repoint(c.Elem(), path)
	}
	return c
}

func repoint(v reflect.Value, path []int) {
	for _, i := range path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	if !v.IsNil() {
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		v.Set(p)
	}
}

// addPointers lists the pointers that lead to a column or are one, outer ones first. GORM marks an
// embedded pointer by a negative index.
func (m *model) addPointers(f *schema.Field) {
	path := make([]int, 0, len(f.StructField.Index))
	for _, i := range f.StructField.Index {
		if i < 0 {
			path = append(path, -i-1)
			m.addPointer(path)
		} else {
			path = append(path, i)
		}
	}
	if f.FieldType.Kind() == reflect.Pointer {
		m.addPointer(path)
	}
}

func (m *model) addPointer(path []int) {
	if !slices.ContainsFunc(m.pointers, func(p []int) bool { return slices.Equal(p, path) }) {
		m.pointers = append(m.pointers, slices.Clone(path))
	}
}
