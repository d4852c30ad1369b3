package signals_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/restflow-go/restflow/signals"
)

// Article is a model.
type Article struct {
	ID     int64
	Author int64
	Title  string
	Views  int
}

// ArticleKey is a cache's key struct, with two partition fields.
type ArticleKey struct {
	PK     int64
	Author int64
}

// Printer stands for a cache: it prints what it is asked to drop.
type Printer struct{ Name string }

// Describe tells what rules can name.
func (p *Printer) Describe() signals.TargetInfo {
	id := reflect.TypeFor[int64]()
	return signals.TargetInfo{Name: p.Name, KeyType: reflect.TypeFor[ArticleKey](), Fields: []signals.TargetField{
		{Name: "pk", Type: id, Partition: true, Index: []int{0}},
		{Name: "author", Type: id, Partition: true, Index: []int{1}},
	}}
}

// Drop prints the groups.
func (p *Printer) Drop(_ context.Context, groups []signals.Group) error {
	for _, g := range groups {
		if g.All {
			fmt.Println(p.Name, "drops all")
			continue
		}
		fmt.Println(p.Name, "drops", g.Names, *g.Key.(*ArticleKey))
	}
	return nil
}

func Example() {
	bus := signals.NewBus(signals.BusConfig{})
	err := bus.Bind(&Printer{"ArticleDetail"}, signals.Rule{
		Model: Article{},
		Map:   map[string]string{"pk": "ID"},
		Watch: []string{"Title"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	a := &Article{ID: 42, Author: 7, Title: "Caches", Views: 3}
	_ = bus.Publish(ctx, signals.Change{Op: signals.Update, New: a, Fields: []string{"Title"}})
	_ = bus.Publish(ctx, signals.Change{Op: signals.Update, New: a, Fields: []string{"Views"}}) // nobody watches it
	_ = bus.Publish(ctx, signals.Change{Op: signals.Delete, Old: a})
	// Output:
	// ArticleDetail drops [pk] {42 0}
	// ArticleDetail drops [pk] {42 0}
}

func ExampleBegin() {
	bus := signals.NewBus(signals.BusConfig{})
	_ = bus.Bind(&Printer{"ArticleDetail"}, signals.Rule{Model: Article{}, Map: map[string]string{"pk": "ID"}})

	save := func(ctx context.Context, id int64) {
		_ = signals.Publish(ctx, bus, signals.Change{Op: signals.Create, New: &Article{ID: id}})
	}
	ctx, tx := signals.Begin(context.Background(), bus)
	defer tx.Rollback() // does nothing after Commit
	save(ctx, 1)

	inner, savepoint := signals.Begin(ctx, bus)
	save(inner, 2)
	savepoint.Rollback()

	fmt.Println("committing", tx.Len(), "change")
	_ = tx.Commit(ctx)
	// Output:
	// committing 1 change
	// ArticleDetail drops [pk] {1 0}
}

func ExampleOn() {
	bus := signals.NewBus(signals.BusConfig{})
	rule := signals.On(func(a *Article) ArticleKey { return ArticleKey{Author: a.Author} }, "author")
	rule.Reads = []string{"Author"}
	_ = bus.Bind(&Printer{"AuthorPage"}, rule)

	_ = bus.Publish(context.Background(), signals.Change{
		Op: signals.Update, New: &Article{ID: 1, Author: 8}, Old: &Article{ID: 1, Author: 7},
	})
	// Output:
	// AuthorPage drops [author] {0 8}
	// AuthorPage drops [author] {0 7}
}

func ExampleBus_Bind_errors() {
	bus := signals.NewBus(signals.BusConfig{})
	err := bus.Bind(&Printer{"ArticleDetail"}, signals.Rule{
		Model: Article{},
		Map:   map[string]string{"pk": "Id", "autor": "Author"},
		Watch: []string{"Tilte"},
	})
	fmt.Println(err)
	// Output:
	// signals: rule Article->ArticleDetail: Map["autor"]: ArticleKey has no key field "autor"; did you mean "author"?
	// signals: rule Article->ArticleDetail: Map["pk"]: Article has no field "Id"; did you mean "ID"?
	// signals: rule Article->ArticleDetail: Watch: Article has no field "Tilte"; did you mean "Title"?
}

func ExampleBus_Rules() {
	bus := signals.NewBus(signals.BusConfig{})
	_ = bus.Bind(&Printer{"ArticleDetail"},
		signals.Rule{Model: Article{}, Map: map[string]string{"pk": "ID"}, Watch: []string{"Title"}},
		signals.Rule{Name: "spring clean", Model: Article{}, All: true, Ops: signals.Delete, When: map[string]any{"Views": 0}},
	)
	fmt.Print(bus.Rules())
	// Output:
	// RULE                    MODEL                 FIRES ON           TARGET         DROPS  RUNS    ON ERROR
	// Article->ArticleDetail  signals_test.Article  any of Title       ArticleDetail  pk     inline  report
	// spring clean            signals_test.Article  delete if Views=0  ArticleDetail  all    inline  report
}

// A broker's side of a Dispatcher: the writer's process sends text, a worker runs it.
func ExampleDispatcherFunc() {
	var queue [][]byte
	send := signals.DispatcherFunc(func(_ context.Context, job signals.Job) error {
		message, err := json.Marshal(job)
		if err == nil {
			queue = append(queue, message)
		}
		return err
	})
	web := signals.NewBus(signals.BusConfig{Dispatcher: send})
	_ = web.Bind(&Printer{"ArticleDetail"}, signals.Rule{Name: "detail", Model: Article{}, Map: map[string]string{"pk": "ID"}})
	_ = web.Publish(context.Background(), signals.Change{Op: signals.Create, New: &Article{ID: 42}})
	fmt.Println(string(queue[0]))

	worker := signals.NewBus(signals.BusConfig{})
	_ = worker.Bind(&Printer{"ArticleDetail"})
	job, err := worker.DecodeJob(queue[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = job.Run(context.Background())
	// Output:
	// {"target":"ArticleDetail","rules":["detail"],"groups":[{"names":["pk"],"key":{"pk":42}}]}
	// ArticleDetail drops [pk] {42 0}
}

func ExamplePool() {
	pool := signals.NewPool(signals.PoolConfig{Workers: 2, Queue: 100})
	bus := signals.NewBus(signals.BusConfig{Dispatcher: pool})
	_ = bus.Bind(&Printer{"ArticleDetail"}, signals.Rule{Model: Article{}, Map: map[string]string{"pk": "ID"}})
	_ = bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: &Article{ID: 42}})
	if err := bus.Close(context.Background()); err != nil { // drains the pool
		fmt.Println(err)
	}
	// Output: ArticleDetail drops [pk] {42 0}
}
