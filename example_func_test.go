package restflow_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
)

// Sale is a row of the examples.
type Sale struct {
	ID     int64
	Region string
	Cents  int
}

// RevenueKey is the argument list of the examples' function.
type RevenueKey struct {
	_      struct{} `restflow:"namespace,Revenue"`
	Region string   `restflow:"arg,region,partition"`
	Year   int
}

// till is what the examples' function reads.
type till struct{ sales []Sale }

func (t *till) revenue(_ context.Context, k RevenueKey) (int, error) {
	fmt.Println("summing up", k.Region)
	cents := 0
	for _, s := range t.sales {
		if s.Region == k.Region {
			cents += s.Cents
		}
	}
	return cents, nil
}

// newRevenue returns the examples' function, cached in memory.
func newRevenue(t *till, bus *signals.Bus, rules ...signals.Rule) *restflow.Func[RevenueKey, int] {
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	return restflow.MustNewFunc(restflow.FuncConfig[int]{
		Store: store, TTL: 10 * time.Minute, Bus: bus, InvalidatesOn: rules,
	}, t.revenue)
}

func ExampleFunc() {
	t := &till{sales: []Sale{{1, "north", 500}, {2, "south", 700}}}
	revenue := newRevenue(t, nil)
	ctx := context.Background()
	for range 2 {
		cents, err := revenue.Call(ctx, RevenueKey{Region: "north", Year: 2026})
		fmt.Println(cents, err)
	}
	// Output:
	// summing up north
	// 500 <nil>
	// 500 <nil>
}

// A rule drops the results that a committed change concerns. With Rewarm it
// computes them again at once, so that nobody has to wait.
func ExampleNewFunc_rewarm() {
	bus := signals.NewBus(signals.BusConfig{})
	t := &till{}
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	type regionKey struct {
		Region string `restflow:"arg,region,partition"`
	}
	revenue, err := restflow.NewFunc(restflow.FuncConfig[int]{
		Store: store, Bus: bus,
		InvalidatesOn: []signals.Rule{{Model: Sale{}, Map: map[string]string{"region": "Region"}, Rewarm: true}},
	}, func(ctx context.Context, k regionKey) (int, error) {
		return t.revenue(ctx, RevenueKey{Region: k.Region})
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx, tx := signals.Begin(context.Background(), bus)
	sale := Sale{1, "north", 500}
	t.sales = append(t.sales, sale)
	tx.Add(signals.Change{Op: signals.Create, New: &sale})
	fmt.Println("commit:", tx.Commit(ctx))
	fmt.Println(revenue.Call(ctx, regionKey{"north"}))
	// Output:
	// summing up north
	// commit: <nil>
	// 500 <nil>
}

func ExampleFunc_CallWithMetadata() {
	revenue := newRevenue(&till{}, nil)
	for range 2 {
		_, meta, err := revenue.CallWithMetadata(context.Background(), RevenueKey{Region: "north"})
		fmt.Println(meta.Status, meta.ResetAt.Sub(meta.CachedAt), err)
	}
	// Output:
	// summing up north
	// MISS 10m0s <nil>
	// HIT 10m0s <nil>
}

func ExampleFunc_Peek() {
	revenue := newRevenue(&till{sales: []Sale{{1, "north", 500}}}, nil)
	ctx, k := context.Background(), RevenueKey{Region: "north"}
	_, _, err := revenue.Peek(ctx, k)
	fmt.Println(err, errors.Is(err, restflow.ErrMiss))
	_, _ = revenue.Call(ctx, k)
	cents, meta, err := revenue.Peek(ctx, k)
	fmt.Println(cents, meta.Status, err)
	// Output:
	// restflow: not cached true
	// summing up north
	// 500 HIT <nil>
}

func ExampleFunc_Metadata() {
	revenue := newRevenue(&till{}, nil)
	ctx, k := context.Background(), RevenueKey{Region: "north"}
	_, _ = revenue.Call(ctx, k)
	meta, err := revenue.Metadata(ctx, k)
	fmt.Println(meta.Status, meta.Age() < time.Minute, err)
	// Output:
	// summing up north
	// HIT true <nil>
}

func ExampleFunc_Refresh() {
	t := &till{}
	revenue := newRevenue(t, nil)
	ctx, k := context.Background(), RevenueKey{Region: "north"}
	_, _ = revenue.Call(ctx, k)
	t.sales = append(t.sales, Sale{1, "north", 500})
	cents, meta, err := revenue.Refresh(ctx, k)
	fmt.Println(cents, meta.Status, err)
	fmt.Println(revenue.Call(ctx, k))
	// Output:
	// summing up north
	// summing up north
	// 500 REFRESH <nil>
	// 500 <nil>
}

func ExampleFunc_Bypass() {
	revenue := newRevenue(&till{}, nil)
	ctx, k := context.Background(), RevenueKey{Region: "north"}
	fmt.Println(revenue.Bypass(ctx, k))
	_, err := revenue.Metadata(ctx, k)
	fmt.Println(err)
	// Output:
	// summing up north
	// 0 <nil>
	// restflow: not cached
}

func ExampleFunc_Delete() {
	revenue := newRevenue(&till{}, nil)
	ctx := context.Background()
	now, then := RevenueKey{Region: "north", Year: 2026}, RevenueKey{Region: "north", Year: 2025}
	_, _ = revenue.Call(ctx, now)
	_, _ = revenue.Call(ctx, then)
	fmt.Println(revenue.Delete(ctx, now))
	_, err := revenue.Metadata(ctx, now)
	fmt.Println(err)
	_, err = revenue.Metadata(ctx, then)
	fmt.Println(err)
	// Output:
	// summing up north
	// summing up north
	// <nil>
	// restflow: not cached
	// <nil>
}

func ExampleFunc_Key() {
	revenue := newRevenue(&till{}, nil)
	key, err := revenue.Key(RevenueKey{Region: "north", Year: 2026})
	fmt.Println(key[:45], err)
	fmt.Println(revenue.Plan())
	// Output:
	// rf1|Revenue|v1|arg:region=5:north|arg:Year=4: <nil>
	// Revenue v1 {region=arg:region partition, Year=arg:Year}
}

// Year is no partition field: an invalidation reaches a region's results of all years.
func ExampleSpace_Invalidate() {
	revenue := newRevenue(&till{}, nil)
	ctx := context.Background()
	_, _ = revenue.Call(ctx, RevenueKey{Region: "north", Year: 2025})
	_, _ = revenue.Call(ctx, RevenueKey{Region: "north", Year: 2026})
	_, _ = revenue.Call(ctx, RevenueKey{Region: "south", Year: 2026})
	fmt.Println(revenue.Invalidate(ctx, RevenueKey{Region: "north"}, "region"))
	for _, k := range []RevenueKey{{Region: "north", Year: 2025}, {Region: "north", Year: 2026}, {Region: "south", Year: 2026}} {
		_, err := revenue.Metadata(ctx, k)
		fmt.Println(k.Region, k.Year, err)
	}
	// Output:
	// summing up north
	// summing up north
	// summing up south
	// <nil>
	// north 2025 restflow: not cached
	// north 2026 restflow: not cached
	// south 2026 <nil>
}

func ExampleSpace_InvalidateAll() {
	revenue := newRevenue(&till{}, nil)
	ctx, k := context.Background(), RevenueKey{Region: "north"}
	_, _ = revenue.Call(ctx, k)
	fmt.Println(revenue.InvalidateAll(ctx))
	_, err := revenue.Metadata(ctx, k)
	fmt.Println(err)
	// Output:
	// summing up north
	// <nil>
	// restflow: not cached
}

// Wipe drops what two functions know of a customer, without knowing the functions.
func ExampleWipe() {
	type CustomerKey struct {
		ID int64 `restflow:"arg,id,partition"`
	}
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	name := restflow.MustNewFunc(restflow.FuncConfig[string]{Store: store},
		func(context.Context, CustomerKey) (string, error) { return "Ada", nil })
	debt := restflow.MustNewFunc(restflow.FuncConfig[int]{Store: store},
		func(context.Context, CustomerKey) (int, error) { return 500, nil })

	ctx, k := context.Background(), CustomerKey{ID: 7}
	_, _ = name.Call(ctx, k)
	_, _ = debt.Call(ctx, k)
	fmt.Println(restflow.Wipe(ctx, k, "id"))
	_, err = name.Metadata(ctx, k)
	fmt.Println(err)
	_, err = debt.Metadata(ctx, k)
	fmt.Println(err)
	// Output:
	// <nil>
	// restflow: not cached
	// restflow: not cached
}

// A version that was raised leaves the entries of those before it behind. They
// answer nobody, and a sweep frees their memory ahead of their end.
func ExampleSpace_DeletePreviousVersions() {
	type RateV1 struct {
		_    struct{} `restflow:"namespace,Rate"`
		Pair string
	}
	type RateV2 struct {
		_    struct{} `restflow:"namespace,Rate"`
		_    struct{} `restflow:"version,2"`
		Pair string
	}
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	before := restflow.MustNewFunc(restflow.FuncConfig[float64]{Store: store},
		func(context.Context, RateV1) (float64, error) { return 1.1, nil })
	now := restflow.MustNewFunc(restflow.FuncConfig[float64]{Store: store},
		func(context.Context, RateV2) (float64, error) { return 1.2, nil })

	ctx := context.Background()
	for _, pair := range []string{"EURUSD", "EURGBP", "EURJPY"} {
		_, _ = before.Call(ctx, RateV1{Pair: pair})
		_, _ = now.Call(ctx, RateV2{Pair: pair})
	}
	sweep, err := now.DeletePreviousVersions(ctx, restflow.SweepConfig{
		BatchSize: 2,
		Progress: func(_ context.Context, s restflow.Sweep) {
			fmt.Println("batch", s.Batches)
		},
	})
	fmt.Println(sweep.Deleted, sweep.Cursor == "", err)
	// Output:
	// batch 1
	// batch 2
	// batch 3
	// batch 4
	// 3 true <nil>
}

// In memory, callers share a result unless Clone copies it for each of them.
func ExampleFuncConfig_clone() {
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	stock := restflow.MustNewFunc(restflow.FuncConfig[map[string]int]{Store: store, Clone: maps.Clone[map[string]int]},
		func(context.Context, struct{}) (map[string]int, error) { return map[string]int{"tea": 3}, nil })
	ctx := context.Background()
	for range 2 {
		m, _ := stock.Call(ctx, struct{}{})
		fmt.Println(m)
		m["tea"] = 0
	}
	// Output:
	// map[tea:3]
	// map[tea:3]
}
