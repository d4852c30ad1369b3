package main

import (
	"fmt"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// User is who can log in and who can be looked at.
type User struct {
	ID    int64 `gorm:"primaryKey"`
	Name  string
	Email string
	Seen  time.Time // on no page
}

// Order is what makes a user's page slow: it sums them up.
type Order struct {
	ID     int64 `gorm:"primaryKey"`
	UserID int64
	Cents  int64
}

const ordersOfEach = 2_000

// openDB opens the database in file, or a new one in memory, and fills it if it is empty. What it
// commits is published on bus.
func openDB(file string, bus *signals.Bus) (*gorm.DB, error) {
	dsn := file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"
	if file == "" {
		dsn = ":memory:"
	}
	db, err := gorm.Open(sqlite.Open(dsn), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1) // a second one would see another database in memory
	if err := db.Use(gormsignals.New(bus)); err != nil {
		return nil, err
	}
	if err := db.AutoMigrate(&User{}, &Order{}); err != nil {
		return nil, err
	}
	var users int64
	if err := db.Model(&User{}).Count(&users).Error; err != nil || users > 0 {
		return db, err
	}
	return db, db.Transaction(seed)
}

func seed(tx *gorm.DB) error {
	users := []User{
		{ID: 1, Name: "Ada", Email: "ada@example.org"},
		{ID: 2, Name: "Bob", Email: "bob@example.org"},
	}
	if err := tx.Create(&users).Error; err != nil {
		return fmt.Errorf("seed users: %w", err)
	}
	orders := make([]Order, 0, ordersOfEach*len(users))
	for _, u := range users {
		for n := range int64(ordersOfEach) {
			orders = append(orders, Order{UserID: u.ID, Cents: 100 + n%7})
		}
	}
	if err := tx.CreateInBatches(orders, 500).Error; err != nil {
		return fmt.Errorf("seed orders: %w", err)
	}
	return nil
}
