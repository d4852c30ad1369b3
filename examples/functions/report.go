package main

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
)

// Sale is a row that a report sums up.
type Sale struct {
	ID     int64 `gorm:"primaryKey"`
	ShopID int64
	Month  string // 2026-03
	Cents  int64
}

// ReportKey is the argument list of the function: what a report depends on.
type ReportKey struct {
	_     struct{} `restflow:"namespace,functions.Report"`
	_     struct{} `restflow:"version,1"`
	Shop  int64    `restflow:"arg,shop,partition"`
	Month string   `restflow:"arg,month,partition"`
}

// Report is the result. Its type is part of the key: a field more, and what older processes
// have stored is not read.
type Report struct {
	Sales int64 `json:"sales"`
	Cents int64 `json:"cents"`
	Best  int64 `json:"best"`
}

type shop struct {
	db      *gorm.DB
	bus     *signals.Bus
	reports *restflow.Func[ReportKey, Report]
}

// openShop opens the database and makes the function over it.
func openShop(store *restflow.Store) (*shop, error) {
	s := &shop{bus: signals.NewBus(signals.BusConfig{})}
	var err error
	s.reports, err = restflow.NewFunc(restflow.FuncConfig[Report]{
		Store:  store,
		TTL:    time.Hour,
		Jitter: 0.1,
		Bus:    s.bus,
		InvalidatesOn: []signals.Rule{{
			Model:  Sale{},
			Map:    map[string]string{"shop": "ShopID", "month": "Month"},
			Rewarm: true,
		}},
	}, s.report)
	if err != nil {
		return nil, err
	}
	if s.db, err = openDB(s.bus); err != nil {
		return nil, err
	}
	// The database is new, and what Redis may hold is of an earlier one.
	return s, s.reports.InvalidateAll(context.Background())
}

// report is the function. It knows nothing of the cache.
func (s *shop) report(ctx context.Context, k ReportKey) (r Report, err error) {
	sales := s.db.WithContext(ctx).Model(&Sale{}).Where("shop_id = ? AND month = ?", k.Shop, k.Month)
	err = sales.Select("count(*), coalesce(sum(cents), 0), coalesce(max(cents), 0)").Row().Scan(&r.Sales, &r.Cents, &r.Best)
	return r, err
}

func (s *shop) close() error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	return errors.Join(s.bus.Close(context.Background()), pool.Close())
}
