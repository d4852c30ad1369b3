package tagkey_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/restflow-go/restflow/tagkey"
)

// One plan, compiled and used by many goroutines at once.
func TestPlansAreSafeForConcurrentUse(t *testing.T) {
	type key struct {
		_    struct{} `restflow:"namespace,c"`
		ID   int      `restflow:"path,id,partition"`
		User string   `restflow:"request,user.name"`
		Tags []string `restflow:"query,tag,sorted"`
	}
	type user struct{ Name string }
	plans := make([]*tagkey.Plan, 8)
	var wg sync.WaitGroup
	for g := range plans {
		wg.Go(func() {
			p, err := tagkey.CompileType(reflect.TypeFor[key]())
			if err != nil {
				t.Error(err)
				return
			}
			plans[g] = p
			var k tagkey.Key
			for i := range 200 {
				id := strconv.Itoa(i * (g + 1))
				want := "rf1|c|v1|path:id=" + strconv.Itoa(len(id)) + ":" + id + "|request:user.name=3:ann|query:tag=[2;1:a1:b]|"
				r := get("tag=b&tag=a", withPath("id", id), withValue("user", &user{"ann"}))
				if err := p.BuildRequest(&k, r); err != nil || k.String() != want {
					t.Errorf("got %q and %v, want %q", k.String(), err, want)
				}
				value, err := p.AppendValueKey(nil, key{ID: i * (g + 1), User: "ann", Tags: []string{"a", "b"}})
				if err != nil || string(value) != want {
					t.Errorf("got %q and %v, want %q", value, err, want)
				}
			}
		})
	}
	wg.Wait()
	for _, p := range plans {
		if p != plans[0] {
			t.Error("two goroutines have two plans of one type")
		}
	}
}
