package gormsignals_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Address is embedded by name, Stamp anonymously.
type Address struct{ City, Street string }

type Stamp struct{ Region int64 }

type Doc struct {
	gorm.Model
	*Stamp
	Home    Address `gorm:"embedded;embeddedPrefix:home_"`
	OwnerID *int64
	Owner   *User
	Author  User `gorm:"foreignKey:AuthorID"`

	AuthorID int64
	Tags     []string `gorm:"serializer:json"`
	Title    string
	Views    int64
}

type docKey struct{ PK, Region, Owner, Author, Views int64 }

// docs opens a database with one rule on Doc. The queries that the plugin makes are counted.
func docs(t *testing.T, rule signals.Rule) (*gorm.DB, *recorder, *queries) {
	t.Helper()
	d, r := openSQLite(t), &recorder{}
	q := &queries{Interface: logger.Discard}
	db := d.gorm(t, &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}).Session(&gorm.Session{Logger: q})
	require.NoError(t, db.AutoMigrate(&User{}, &Doc{}))
	require.NoError(t, db.Exec("INSERT INTO docs (id, region, owner_id, author_id, title, home_city, tags, views) VALUES (1, 2, 3, 4, 'a', 'x', '[]', 0), (2, 2, NULL, 5, 'b', 'y', '[]', 0)").Error)
	bus := signals.NewBus(signals.BusConfig{})
	rule.Model = Doc{}
	require.NoError(t, bus.Bind(&cache[docKey]{"doc", r}, rule))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	q.take()
	return db, r, q
}

// queries is a logger that keeps the SELECTs.
type queries struct {
	logger.Interface
	selects []string
}

func (q *queries) LogMode(logger.LogLevel) logger.Interface { return q }

func (q *queries) take() []string {
	s := q.selects
	q.selects = nil
	return s
}

func TestEmbeddedAndAssociatedFields(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  signals.Rule
		write func(*gorm.DB) error
		want  []string
	}{
		{
			"promoted key",
			signals.Rule{Map: map[string]string{"pk": "ID"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("title = 'a'").Update("views", 1).Error },
			[]string{"doc pk=1"},
		},
		{
			"the same in full",
			signals.Rule{Map: map[string]string{"pk": "Model.ID"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("title = 'a'").Update("views", 1).Error },
			[]string{"doc pk=1"},
		},
		{
			"an embedded pointer",
			signals.Rule{Map: map[string]string{"region": "Region"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 1").Update("region", 9).Error },
			[]string{"doc region=2", "doc region=9"},
		},
		{
			"a watched struct",
			signals.Rule{Map: map[string]string{"views": "Views"}, Watch: []string{"Home"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 1").Update("home_street", "z").Error },
			[]string{"doc views=0"},
		},
		{
			"a watched struct left alone",
			signals.Rule{Map: map[string]string{"views": "Views"}, Watch: []string{"Home.City"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 1").Update("home_street", "z").Error }, nil,
		},
		{
			"a foreign key's target",
			signals.Rule{Map: map[string]string{"owner": "Owner.ID"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 1").Update("owner_id", 7).Error },
			[]string{"doc owner=3", "doc owner=7"},
		},
		{
			"a foreign key that is nil",
			signals.Rule{Map: map[string]string{"owner": "Owner.ID"}, Require: []string{"owner"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 2").Update("owner_id", 7).Error },
			[]string{"doc owner=7"},
		},
		{
			"an association that is no pointer",
			signals.Rule{Map: map[string]string{"author": "Author.ID"}},
			func(db *gorm.DB) error { return db.Where("id = 2").Delete(&Doc{}).Error },
			[]string{"doc author=5"},
		},
		{
			"a field of an association",
			signals.Rule{Map: map[string]string{"owner": "Owner.TeamID"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("id = 1").Update("views", 1).Error },
			[]string{"doc all"},
		},
		{
			"a serialized column",
			signals.Rule{Map: map[string]string{"pk": "ID"}, Watch: []string{"Tags"}},
			func(db *gorm.DB) error {
				return db.Model(&Doc{Model: gorm.Model{ID: 1}}).Updates(Doc{Tags: []string{"new"}}).Error
			},
			[]string{"doc pk=1"},
		},
		{
			"a serialized column with the same value",
			signals.Rule{Map: map[string]string{"pk": "ID"}, Watch: []string{"Tags"}},
			func(db *gorm.DB) error {
				return db.Model(&Doc{Model: gorm.Model{ID: 1}}).Updates(Doc{Tags: []string{}}).Error
			}, nil,
		},
		{
			"a created foreign key",
			signals.Rule{Map: map[string]string{"author": "Author.ID"}},
			func(db *gorm.DB) error { return db.Create(&Doc{AuthorID: 8}).Error },
			[]string{"doc author=8"},
		},
		{
			"a function that reads a column", typedDoc("Views"),
			func(db *gorm.DB) error {
				return db.Model(&Doc{}).Where("id = 1").Update("views", gorm.Expr("views + 1")).Error
			},
			[]string{"doc views=0", "doc views=1"},
		},
	} {
		db, r, _ := docs(t, c.rule)
		require.NoError(t, c.write(db), c.name)
		require.Equal(t, c.want, r.take(), c.name)
	}
}

func typedDoc(reads ...string) signals.Rule {
	rule := signals.On(func(d *Doc) docKey { return docKey{Views: d.Views} }, "views")
	rule.Reads = reads
	return rule
}

func (q *queries) Trace(_ context.Context, _ time.Time, fc func() (string, int64), _ error) {
	if sql, _ := fc(); strings.HasPrefix(sql, "SELECT") {
		q.selects = append(q.selects, sql)
	}
}

// With no rule that needs them no row is read, and otherwise only the columns that rules need.
func TestWhatIsRead(t *testing.T) {
	byKey := signals.Rule{Map: map[string]string{"pk": "ID"}}
	byRegion := signals.Rule{Map: map[string]string{"region": "Region"}}
	one := &Doc{Model: gorm.Model{ID: 1}}
	for _, c := range []struct {
		name  string
		rule  signals.Rule
		write func(*gorm.DB) error
		want  []string
	}{
		{"create", byRegion, func(db *gorm.DB) error { return db.Create(&Doc{}).Error }, nil},
		{"update by key", byKey, func(db *gorm.DB) error { return db.Model(one).Update("views", 1).Error }, nil},
		{"delete by key", byKey, func(db *gorm.DB) error { return db.Delete(&Doc{}, 1).Error }, nil},
		{"hard delete by key", byKey, func(db *gorm.DB) error { return db.Unscoped().Delete(one).Error }, nil},
		{"save", byKey, func(db *gorm.DB) error { return db.Save(&Doc{Model: gorm.Model{ID: 1}}).Error }, nil},
		{"the whole cache", signals.Rule{All: true}, func(db *gorm.DB) error { return db.Model(&Doc{}).Where("views = 0").Update("views", 1).Error }, nil},
		{
			"unwatched",
			signals.Rule{Map: map[string]string{"region": "Region"}, Watch: []string{"Title"}},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("views = 0").Update("views", 1).Error }, nil,
		},
		{
			"only deletes",
			signals.Rule{Map: map[string]string{"region": "Region"}, Ops: signals.Delete},
			func(db *gorm.DB) error { return db.Model(&Doc{}).Where("views = 0").Update("region", 1).Error }, nil,
		},
		{
			"a mapped column that stays", byRegion, func(db *gorm.DB) error { return db.Model(one).UpdateColumn("views", 1).Error },
			[]string{"SELECT `docs`.`id`,`docs`.`region` FROM `docs` WHERE `docs`.`id` = 1 LIMIT 1001"},
		},
		{
			"a mapped column", byRegion, func(db *gorm.DB) error { return db.Model(one).UpdateColumn("region", 1).Error },
			[]string{"SELECT `docs`.`id`,`docs`.`region` FROM `docs` WHERE `docs`.`deleted_at` IS NULL AND `id` = 1 LIMIT 1001"},
		},
		{
			"delete", byRegion, func(db *gorm.DB) error { return db.Unscoped().Delete(one).Error },
			[]string{"SELECT `docs`.`id`,`docs`.`region` FROM `docs` WHERE `docs`.`id` = 1 LIMIT 1001"},
		},
	} {
		db, _, q := docs(t, c.rule)
		require.NoError(t, c.write(db), c.name)
		require.Equal(t, c.want, slices.Clip(q.take()), c.name)
	}
}

// Tally has no primary key.
type Tally struct {
	Name string `gorm:"size:50;uniqueIndex"`
	Team int64
}

func TestModelsWithoutAKey(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[teamKey]{"tally", r}, signals.Rule{Model: Tally{}, Map: map[string]string{"team": "Team"}}))
		db := d.gorm(t, nil)
		require.NoError(t, db.AutoMigrate(&Tally{}))
		require.NoError(t, db.Use(gormsignals.New(bus)))
		for _, c := range []struct {
			name  string
			write func() error
			want  []string
		}{
			{"create", func() error { return db.Create(&Tally{"a", 1}).Error }, []string{"tally team=1"}},
			{"omit", func() error { return db.Omit("Team").Create(&Tally{"b", 1}).Error }, []string{"tally all"}},
			{"update", func() error { return db.Model(&Tally{}).Where("name = 'a'").Update("team", 2).Error }, []string{"tally team=1", "tally team=2"}},
			{
				"expression", func() error {
					return db.Model(&Tally{}).Where("name = 'a'").Update("team", gorm.Expr("team + 1")).Error
				},
				[]string{"tally all"},
			},
			{
				"upsert", func() error {
					return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"team"})}).Create(&Tally{"a", 7}).Error
				},
				[]string{"tally all"},
			},
			{"delete", func() error { return db.Where("name = 'a'").Delete(&Tally{}).Error }, []string{"tally team=7"}},
		} {
			require.NoError(t, c.write(), c.name)
			require.Equal(t, c.want, r.take(), c.name)
		}
	})
}

// Slug has a column that the database makes of another, and one that only queries fill.
type Slug struct {
	ID    int64 `gorm:"primaryKey"`
	Name  string
	Size  int64 `gorm:"->"`
	Count int64 `gorm:"->;-:migration"`
}

func TestColumnsThatTheDatabaseMakes(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		exec(t, d.second, "CREATE TABLE slugs (id INTEGER PRIMARY KEY, name VARCHAR(50), size INTEGER GENERATED ALWAYS AS (length(name)) STORED)",
			"INSERT INTO slugs (id, name) VALUES (1, 'ann')")
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[teamKey]{"slug", r}, signals.Rule{Model: Slug{}, Map: map[string]string{"team": "Size"}}))
		db := d.gorm(t, nil)
		require.NoError(t, db.Use(gormsignals.New(bus)))
		require.NoError(t, db.Model(&Slug{ID: 1}).Update("name", "annabel").Error)
		require.Equal(t, []string{"slug team=3", "slug team=7"}, r.take())
		require.NoError(t, db.Model(&Slug{}).Where("name = ?", "annabel").Update("name", "anna").Error)
		require.Equal(t, []string{"slug team=4", "slug team=7"}, r.take())
		require.NoError(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Slug{ID: 1, Name: "annie"}).Error)
		require.Equal(t, []string{"slug team=4", "slug team=5"}, r.take())

		bus.Subscribe(func(context.Context, []signals.Change) {}) // wants whole rows
		require.NoError(t, db.Model(&Slug{}).Where("name = ?", "annie").Update("name", "anna").Error)
		require.Equal(t, []string{"slug team=4", "slug team=5"}, r.take())
	})
}
