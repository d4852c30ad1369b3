package gormsignals_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log"
	"reflect"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Book is cached by key and by author.
type Book struct {
	ID       int64
	Title    string
	AuthorID int64
}

type bookKey struct{ Book, Author int64 }

// printer stands for a cache: it prints what it is told to drop.
type printer struct{}

func (printer) Describe() signals.TargetInfo {
	id := reflect.TypeFor[int64]()
	return signals.TargetInfo{Name: "Books", KeyType: reflect.TypeFor[bookKey](), Fields: []signals.TargetField{
		{Name: "book", Type: id, Partition: true, Index: []int{0}},
		{Name: "author", Type: id, Partition: true, Index: []int{1}},
	}}
}

func (printer) Drop(_ context.Context, groups []signals.Group) error {
	for _, g := range groups {
		if g.All {
			fmt.Println("  drop all")
			continue
		}
		fmt.Printf("  drop %v %+v\n", g, *g.Key.(*bookKey))
	}
	return nil
}

func open() *gorm.DB {
	db, err := gorm.Open(sqlite.Open("file::memory:"), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		log.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		log.Fatal(err)
	}
	pool.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	if err := db.AutoMigrate(&Book{}); err != nil {
		log.Fatal(err)
	}
	return db
}

func Example() {
	bus := signals.NewBus(signals.BusConfig{})
	err := bus.Bind(printer{},
		signals.Rule{Model: Book{}, Name: "one", Map: map[string]string{"book": "ID"}},
		signals.Rule{Model: Book{}, Name: "list", Map: map[string]string{"author": "AuthorID"}})
	if err != nil {
		log.Fatal(err)
	}
	db := open()
	if err := db.Use(gormsignals.New(bus)); err != nil {
		log.Fatal(err)
	}

	fmt.Println("create")
	db.Create(&Book{ID: 1, Title: "Emma", AuthorID: 7})

	fmt.Println("move to another author, in a transaction")
	_ = db.Transaction(func(tx *gorm.DB) error {
		tx.Model(&Book{ID: 1}).Update("author_id", 8)
		fmt.Println("  not yet")
		return nil
	})

	fmt.Println("delete, and roll back")
	tx := db.Begin()
	tx.Delete(&Book{ID: 1})
	tx.Rollback()
	// Output:
	// create
	//   drop book {Book:1 Author:0}
	//   drop author {Book:0 Author:7}
	// move to another author, in a transaction
	//   not yet
	//   drop book {Book:1 Author:0}
	//   drop author {Book:0 Author:8}
	//   drop author {Book:0 Author:7}
	// delete, and roll back
}

// Code that needs the *sql.Tx tells the plugin what it writes.
func ExamplePublish() {
	bus := signals.NewBus(signals.BusConfig{})
	if err := bus.Bind(printer{}, signals.Rule{Model: Book{}, Map: map[string]string{"book": "ID"}}); err != nil {
		log.Fatal(err)
	}
	db := open()
	if err := db.Use(gormsignals.New(bus)); err != nil {
		log.Fatal(err)
	}
	err := db.Transaction(func(tx *gorm.DB) error {
		raw, _ := gormsignals.SQLTx(tx)
		if _, err := raw.Exec("INSERT INTO books (id, title) VALUES (5, 'Persuasion')"); err != nil {
			return err
		}
		return gormsignals.Publish(tx, signals.Change{Op: signals.Create, New: &Book{ID: 5}})
	})
	fmt.Println(err)
	// Output:
	//   drop book {Book:5 Author:0}
	// <nil>
}

// A database that is written beside GORM too is opened through the plugin's connector.
func ExamplePlugin_WrapConnector() {
	bus := signals.NewBus(signals.BusConfig{})
	if err := bus.Bind(printer{}, signals.Rule{Model: Book{}, Map: map[string]string{"book": "ID"}}); err != nil {
		log.Fatal(err)
	}
	connector := memory() // of pgx's stdlib.GetConnector or the MySQL driver's NewConnector, in earnest
	plugin := gormsignals.New(bus)
	pool := sql.OpenDB(plugin.WrapConnector(connector))
	db, err := gorm.Open(sqlite.Dialector{Conn: pool}, &gorm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	if err := errors.Join(db.Use(plugin), db.AutoMigrate(&Book{})); err != nil {
		log.Fatal(err)
	}

	fmt.Println("GORM")
	db.Create(&Book{ID: 1, Title: "Emma"})
	fmt.Println("not GORM")
	_, err = pool.Exec("UPDATE books SET title = 'Persuasion'")
	fmt.Println(err)
	// Output:
	// GORM
	//   drop book {Book:1 Author:0}
	// not GORM
	//   drop all
	// <nil>
}

// memory returns a connector to a database in memory.
func memory() driver.Connector {
	pool, err := open().DB()
	if err != nil {
		log.Fatal(err)
	}
	return dsnConnector{pool.Driver(), "file::memory:"}
}
