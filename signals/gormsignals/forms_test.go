package gormsignals_test

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// form is a way to write, with the groups that it must drop.
type form struct {
	name  string
	write func(*gorm.DB) error
	check string   // see recorder
	want  []string // exactly
	alone []string // if the statement commits by itself: what cannot be read with it is wider. Nil means want
	only  string   // the database that has it; all if empty
	not   string   // the database that has not
}

func visible(condition string) string { return "SELECT count(*) FROM users WHERE " + condition }

var forms = []form{
	// Create
	{
		name: "Create", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error { return db.Create(&User{Email: "eve@x", TeamID: 5}).Error },
	},
	{
		name: "Create a batch", check: visible("email = 'f@x'"), want: []string{"user pk=new", "user team=5", "user team=6"},
		write: func(db *gorm.DB) error {
			return db.Create([]*User{{Email: "eve@x", TeamID: 5}, {Email: "f@x", TeamID: 6}}).Error
		},
	},
	{
		name: "CreateInBatches", check: visible("email = 'g@x'"), want: []string{"user pk=new", "user team=5", "user team=6", "user team=7"},
		write: func(db *gorm.DB) error {
			return db.CreateInBatches([]User{{Email: "e@x", TeamID: 5}, {Email: "f@x", TeamID: 6}, {Email: "g@x", TeamID: 7}}, 3).Error
		},
	},
	{
		name: "Create a map", check: visible("email = 'eve@x'"), want: []string{"user pk=90", "user team=5"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{}).Create(map[string]any{"ID": 90, "email": "eve@x", "team_id": 5}).Error
		},
	},
	{
		name: "Create a map without a key", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{}).Create(map[string]any{"email": "eve@x", "team_id": 5}).Error
		},
	},
	{name: "Create selected columns", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=0"}, // NULL is what Go reads as zero
		write: func(db *gorm.DB) error { return db.Select("Email").Create(&User{Email: "eve@x", TeamID: 5}).Error }},
	{
		name: "Create another type in the table", check: visible("email = 'eve@x'"), want: []string{"user pk=91", "user team=5"},
		write: func(db *gorm.DB) error {
			type person struct {
				ID     int64
				Email  string
				TeamID int64
			}
			return db.Table("users").Create(&person{ID: 91, Email: "eve@x", TeamID: 5}).Error
		},
	},
	{
		name: "Create with an expression", check: visible("email = 'eve@x'"), want: []string{"user pk=92", "user team=7"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{}).Create(map[string]any{"ID": 92, "Email": "eve@x", "TeamID": clause.Expr{SQL: "3 + ?", Vars: []any{4}}}).Error
		},
	},
	{
		name: "SkipHooks", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error {
			return db.Session(&gorm.Session{SkipHooks: true}).Create(&User{Email: "eve@x", TeamID: 5}).Error
		},
	},
	{
		name: "FirstOrCreate", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error {
			return db.Where(User{Email: "eve@x"}).Attrs(User{TeamID: 5}).FirstOrCreate(&User{}).Error
		},
	},

	// Save and update
	{
		name: "Save", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Save(&User{ID: 1, Email: "ann@x", Name: "amy", TeamID: 5}).Error },
	},
	{
		name: "Save a new row", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error { return db.Save(&User{Email: "eve@x", TeamID: 5}).Error },
	},
	{
		name: "Save a slice", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1", "user team=5", "user pk=90", "user team=6"},
		alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Save(&[]User{{ID: 1, Email: "ann@x", Name: "amy", TeamID: 5}, {ID: 90, Email: "eve@x", TeamID: 6}}).Error
		},
	},
	{
		name: "Update", check: visible("team_id = 5"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Update("team_id", 5).Error },
	},
	{
		name: "Update an unmapped column", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1"},
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Update("Name", "amy").Error },
	},
	{
		name: "Updates of a struct", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Updates(&User{ID: 1, Name: "amy", TeamID: 5}).Error },
	},
	{
		name: "Updates of a map", check: visible("name = 'amy'"), want: []string{"user pk=3", "user team=2"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 3}).Updates(map[string]any{"name": "amy", "score": 3}).Error
		},
	},
	{
		name: "Updates of a slice", check: visible("name = 'amy'"), want: []string{"user pk=1", "user pk=3", "user team=1", "user team=2"},
		write: func(db *gorm.DB) error { return db.Model(&[]User{{ID: 1}, {ID: 3}}).Update("name", "amy").Error },
	},
	{
		name: "Updates of another type", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Updates(struct{ Name string }{"amy"}).Error
		},
	},
	{
		name: "UpdateColumn", check: visible("team_id = 5"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).UpdateColumn("team_id", 5).Error },
	},
	{
		name: "UpdateColumns", check: visible("score = 5"), want: []string{"user pk=1", "user team=1"},
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).UpdateColumns(User{Score: 5}).Error },
	},
	{
		name: "Update an expression", check: visible("team_id = 11"), want: []string{"user pk=1", "user team=1", "user team=11"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Update("team_id", gorm.Expr("team_id + ?", 10)).Error
		},
	},
	{
		name: "Update where", check: visible("name = 'amy'"), want: []string{"user pk=1", "user pk=2", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Model(&User{}).Where("team_id = ?", 1).Update("name", "amy").Error },
	},
	{
		name: "Update where or", check: visible("team_id = 5"), want: []string{"user pk=1", "user pk=3", "user team=1", "user team=2", "user team=5"},
		alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{}).Where("name = ?", "ann").Or("name = ?", "cid").Update("team_id", 5).Error
		},
	},
	{
		name: "Update where a subquery", check: visible("team_id = 5"), want: []string{"user all"}, // it may find others by then
		write: func(db *gorm.DB) error {
			owners := db.Session(&gorm.Session{NewDB: true}).Model(&Pet{}).Select("user_id").Where("name = ?", "tom")
			return db.Model(&User{}).Where("id IN (?)", owners).Update("team_id", 5).Error
		},
	},
	{
		name: "Update a table", check: visible("team_id = 5"), want: []string{"user pk=3", "user team=2", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Table("users").Where("id = ?", 3).Update("team_id", 5).Error },
	},
	{
		name: "Update a table by an alias", check: visible("team_id = 5"), want: []string{"user pk=3", "user team=2", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Table("users AS u").Where("u.id = ?", 3).Update("team_id", 5).Error },
	},
	{
		name: "Update the key", check: visible("id = 95"), want: []string{"user pk=1", "user pk=95", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Model(&User{}).Where("name = ?", "ann").Update("id", 95).Error },
	},
	{
		name: "Update no row", want: nil,
		write: func(db *gorm.DB) error { return db.Model(&User{}).Where("team_id = ?", 77).Update("name", "amy").Error },
	},
	{
		name: "Returning", check: visible("name = 'amy'"), want: []string{"user pk=1", "user pk=2", "user team=1"}, not: "mysql",
		write: func(db *gorm.DB) error {
			return db.Model(&[]User{}).Clauses(clause.Returning{}).Where("team_id = ?", 1).Update("name", "amy").Error
		},
	},
	{
		name: "Returning into a struct", check: visible("name = 'amy'"), want: []string{"user all"}, not: "mysql",
		write: func(db *gorm.DB) error {
			return db.Model(&User{}).Clauses(clause.Returning{}).Where("team_id = ?", 1).Update("name", "amy").Error
		},
	},

	// Delete
	{
		name: "Delete softly", check: visible("id = 1 AND deleted_at IS NOT NULL"), want: []string{"user pk=1", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Delete(&User{ID: 1}).Error },
	},
	{
		name: "Delete softly where", check: visible("id = 1 AND deleted_at IS NOT NULL"), want: []string{"user pk=1", "user pk=2", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Where("team_id = ?", 1).Delete(&User{}).Error },
	},
	{
		name: "Delete softly by update", check: visible("id = 1 AND deleted_at IS NOT NULL"), want: []string{"user pk=1", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Update("deleted_at", time.Now()).Error },
	},
	{
		name: "Restore", check: visible("id = 4 AND deleted_at IS NULL"), want: []string{"user pk=4", "user team=3"},
		write: func(db *gorm.DB) error { return db.Unscoped().Model(&User{ID: 4}).Update("deleted_at", nil).Error },
	},
	{
		name: "Delete", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = 4)", want: []string{"user pk=4", "user team=3"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Unscoped().Delete(&User{ID: 4}).Error },
	},
	{
		name: "Delete by keys", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = 4)", want: []string{"user pk=3", "user pk=4", "user team=2", "user team=3"},
		alone: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Unscoped().Delete(&User{}, []string{"3", "4"}).Error },
	},
	{
		name: "Delete a slice", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pets WHERE id = 1)", want: []string{"pet owner=1"}, alone: []string{"pet all"},
		write: func(db *gorm.DB) error { return db.Delete(&[]Pet{{ID: 1}, {ID: 77}}).Error },
	},
	{
		name: "Delete no row", want: nil,
		write: func(db *gorm.DB) error { return db.Delete(&Pet{ID: 77}).Error },
	},
	{
		name: "Delete returning", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pets)", want: []string{"pet owner=1", "pet owner=2"},
		write: func(db *gorm.DB) error { return db.Clauses(clause.Returning{}).Where("1 = 1").Delete(&[]Pet{}).Error },
	},

	// Upsert
	{
		name: "Upsert an old row", check: visible("team_id = 5"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team_id"})}).
				Create(&User{Email: "ann@x", TeamID: 5}).Error
		},
	},
	{
		name: "Upsert a new row", check: visible("team_id = 5"), want: []string{"user pk=new", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team_id"})}).
				Create(&User{Email: "eve@x", TeamID: 5}).Error
		},
	},
	{
		name: "Upsert all", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&User{ID: 1, Email: "ann@x", Name: "amy", TeamID: 5}).Error
		},
	},
	{
		name: "Upsert doing nothing", want: nil,
		write: func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Group{ID: 1, Name: "red"}).Error
		},
	},
	{
		name: "Upsert doing nothing to one", check: "SELECT count(*) FROM user_groups WHERE group_id = 2",
		want: []string{"member user=1,group=1", "member user=1,group=2"}, // the first was there; which one was not is unknown
		write: func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{DoNothing: true}).Create([]UserGroup{{1, 1}, {1, 2}}).Error
		},
	},

	// Associations
	{
		name: "Association append to many", check: "SELECT count(*) FROM pets WHERE name = 'kit'", want: []string{"pet owner=1"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Association("Pets").Append(&Pet{Name: "kit"})
		},
	},
	{
		name: "Association append an old row", check: "SELECT count(*) FROM pets WHERE id = 2 AND user_id = 1", want: []string{"pet owner=1", "pet owner=2"},
		alone: []string{"pet all"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Association("Pets").Append(&Pet{ID: 2, Name: "tom"})
		},
	},
	{name: "Association clear", check: "SELECT count(*) FROM pets WHERE id = 1 AND user_id IS NULL", want: []string{"pet all"}, // no owner is no group
		write: func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Association("Pets").Clear() }},
	{
		name: "Association append to a join table", check: "SELECT count(*) FROM user_groups WHERE group_id = 2", want: []string{"member user=1,group=2"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Omit("Groups.*").Association("Groups").Append(&Group{ID: 2})
		},
	},
	{
		name: "Association delete", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM user_groups)", want: []string{"member user=1,group=1"},
		write: func(db *gorm.DB) error {
			return db.Model(&User{ID: 1}).Association("Groups").Delete(&Group{ID: 1})
		},
	},
	{
		name: "Create with associations", check: visible("email = 'eve@x'"),
		want: []string{"member user=new,group=2", "pet owner=new", "user pk=new", "user team=5"},
		write: func(db *gorm.DB) error {
			return db.Omit("Groups.*").Create(&User{Email: "eve@x", TeamID: 5, Pets: []Pet{{Name: "kit"}}, Groups: []Group{{ID: 2}}}).Error
		},
	},

	// Generics
	{
		name: "generic Create", check: visible("email = 'eve@x'"), want: []string{"user pk=new", "user team=5"},
		write: func(db *gorm.DB) error {
			return gorm.G[User](db).Create(db.Statement.Context, &User{Email: "eve@x", TeamID: 5})
		},
	},
	{
		name: "generic Update", check: visible("name = 'amy'"), want: []string{"user pk=1", "user team=1"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			_, err := gorm.G[User](db).Where("id = ?", 1).Update(db.Statement.Context, "name", "amy")
			return err
		},
	},
	{
		name: "generic Set", check: visible("team_id = 5"), want: []string{"user pk=1", "user team=1", "user team=5"}, alone: []string{"user all"},
		write: func(db *gorm.DB) error {
			_, err := gorm.G[User](db).Where("id = ?", 1).Set(clause.Assignment{Column: clause.Column{Name: "team_id"}, Value: 5}).Update(db.Statement.Context)
			return err
		},
	},
	{
		name: "generic Delete", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pets WHERE id = 1)", want: []string{"pet owner=1"}, alone: []string{"pet all"},
		write: func(db *gorm.DB) error {
			_, err := gorm.G[Pet](db).Where("name = ?", "rex").Delete(db.Statement.Context)
			return err
		},
	},
	{
		name: "generic Exec", check: visible("name = 'amy'"), want: []string{"user all"},
		write: func(db *gorm.DB) error {
			return gorm.G[User](db).Exec(db.Statement.Context, "UPDATE users SET name = ?", "amy")
		},
	},

	// SQL text
	{
		name: "Exec", check: visible("name = 'amy'"), want: []string{"user all"},
		write: func(db *gorm.DB) error { return db.Exec("UPDATE users SET name = ? WHERE id = 1", "amy").Error },
	},
	{
		name: "Exec that changes no row", want: nil,
		write: func(db *gorm.DB) error { return db.Exec("DELETE FROM pets WHERE id = 77").Error },
	},
	{
		name: "Exec on a table of nobody", want: nil,
		write: func(db *gorm.DB) error { return db.Exec("INSERT INTO logs (text) VALUES ('users')").Error },
	},
	{
		name: "Raw with Scan", check: visible("name = 'amy'"), want: []string{"user all"}, not: "mysql",
		write: func(db *gorm.DB) error {
			var ids []int64
			return db.Raw("UPDATE users SET name = 'amy' WHERE team_id = 1 RETURNING id").Scan(&ids).Error
		},
	},
	{
		name: "Raw with Find", check: visible("name = 'amy'"), want: []string{"user all"}, not: "mysql",
		write: func(db *gorm.DB) error {
			return db.Raw("UPDATE users SET name = 'amy' WHERE team_id = 1 RETURNING *").Find(&[]User{}).Error
		},
	},
	{
		name: "Raw with Row", check: visible("name = 'amy'"), want: []string{"user all"}, not: "mysql",
		write: func(db *gorm.DB) error {
			row := db.Raw("UPDATE users SET name = 'amy' WHERE id = 1 RETURNING id").Row()
			if row == nil { // DryRun
				return nil
			}
			var id int64
			return row.Scan(&id)
		},
	},
	{
		name: "Exec with a common table expression", check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pets)", want: []string{"pet all"}, only: "postgres",
		write: func(db *gorm.DB) error {
			return db.Exec("WITH gone AS (DELETE FROM pets RETURNING id) SELECT count(*) FROM gone").Error
		},
	},

	// Nobody listens
	{
		name: "Create of another model", want: nil,
		write: func(db *gorm.DB) error { return db.Create(&Log{Text: "x"}).Error },
	},
	{
		name: "Select", want: nil,
		write: func(db *gorm.DB) error { return db.Find(&[]User{}).Error },
	},
}
