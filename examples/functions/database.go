package main

import (
	"fmt"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// openDB opens a new database in memory and fills it. What it commits from then on is published
// on bus.
func openDB(bus *signals.Bus) (*gorm.DB, error) {
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1) // a second one would see another database
	if err := db.AutoMigrate(&Sale{}); err != nil {
		return nil, err
	}
	if err := seed(db); err != nil {
		return nil, err
	}
	return db, db.Use(gormsignals.New(bus))
}

// seed gives two shops sales in two months.
func seed(db *gorm.DB) error {
	var sales []Sale
	for shop := range int64(2) {
		for _, month := range []string{"2026-03", "2026-04"} {
			for n := range int64(1000) {
				sales = append(sales, Sale{ShopID: 1 + shop, Month: month, Cents: 100 * (1 + n%9)})
			}
		}
	}
	if err := db.CreateInBatches(sales, 500).Error; err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}
