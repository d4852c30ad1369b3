package tagkey_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"time"

	"github.com/restflow-go/restflow/tagkey"
)

// A page of a team's articles depends on the team, on who asks, and on the query.
type ArticlesKey struct {
	_     struct{}   `restflow:"namespace,Articles"`
	_     struct{}   `restflow:"version,2"`
	Team  int64      `restflow:"path,team,partition"`
	User  string     `restflow:"request,user.id,partition"`
	Query url.Values `restflow:"query,*,ignore=utm_*"`
}

func articlesRequest(query string) *tagkey.Request {
	return &tagkey.Request{
		HTTP:        httptest.NewRequest(http.MethodGet, "/teams/7/articles?"+query, nil),
		ParamNames:  []string{"team"},
		ParamValues: []string{"7"},
		Values:      contextValues{"user": map[string]any{"id": "ann"}},
	}
}

func ExampleCompile() {
	plan, err := tagkey.Compile[ArticlesKey]()
	fmt.Println(plan, err)
	// Output: Articles v2 {team=path:team partition, user.id=request:user.id partition, query=query:* ignore=utm_*} <nil>
}

// Every fault is named at once, with what to do about it.
func ExampleCompile_faults() {
	type key struct {
		Page int      `restflow:"query,page,partiton"`
		ID   chan int `restflow:"param,id"`
		Sort string
	}
	_, err := tagkey.Compile[key]()
	fmt.Println(err)
	// Output:
	// tagkey: key.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?
	// tagkey: key.ID: tag "param,id": unknown source "param"; did you mean "path"?
	// tagkey: key.Sort: has no restflow tag; add one, or restflow:"-" to leave the field out
}

func ExamplePlan_BuildRequest() {
	plan := tagkey.MustCompile[ArticlesKey]()
	var key tagkey.Key // reuse it: then a build allocates nothing
	for _, query := range []string{"page=2&sort=new", "sort=new&utm_source=mail&page=2", "page=3"} {
		if err := plan.BuildRequest(&key, articlesRequest(query)); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(&key)
	}
	// Output:
	// rf1|Articles|v2|path:team=1:7|request:user.id=3:ann|query:*={2;4:page[1;1:2]4:sort[1;3:new]}|
	// rf1|Articles|v2|path:team=1:7|request:user.id=3:ann|query:*={2;4:page[1;1:2]4:sort[1;3:new]}|
	// rf1|Articles|v2|path:team=1:7|request:user.id=3:ann|query:*={1;4:page[1;1:3]}|
}

// A request whose key cannot be built is answered without a cache.
func ExampleValueError() {
	plan := tagkey.MustCompile[ArticlesKey]()
	request := articlesRequest("page=2")
	request.Values = nil // nobody is logged in
	err := plan.BuildRequest(new(tagkey.Key), request)

	var ve *tagkey.ValueError
	if errors.As(err, &ve) && errors.Is(err, tagkey.ErrAbsent) {
		fmt.Println(ve.Field, ve.Source, ve.Name)
	}
	fmt.Println(err)
	// Output:
	// User request user.id
	// tagkey: User (request:user.id): the request has none; let what sets it run before the cache, or flag the field optional
}

// A value of the key struct has the same bytes as a request: so what belongs to
// a changed row is found without one.
func ExamplePlan_AppendPartition() {
	plan := tagkey.MustCompile[ArticlesKey]()
	var key tagkey.Key
	if err := plan.BuildRequest(&key, articlesRequest("page=2")); err != nil {
		fmt.Println(err)
		return
	}
	indexes, err := plan.ResolvePartitions("team")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range indexes {
		partition, err := plan.AppendPartition(nil, i, ArticlesKey{Team: 7})
		fmt.Println(string(partition), bytes.Equal(key.Partition(i), partition), err)
	}
	// Output: path:team=1:7 true <nil>
}

func ExamplePlan_ResolvePartitions() {
	_, err := tagkey.MustCompile[ArticlesKey]().ResolvePartitions("teams")
	fmt.Println(err)
	// Output: tagkey: ArticlesKey: partition "teams" is unknown; did you mean "team"? the partition fields are team, user.id
}

func ExampleCompileArgs() {
	type args struct {
		Team  int64 `restflow:"arg,team,partition"`
		Since time.Time
	}
	plan, err := tagkey.CompileArgs(reflect.TypeFor[args]())
	if err != nil {
		fmt.Println(err)
		return
	}
	plan = plan.WithNamespace("TeamReport")
	key, err := plan.AppendValueKey(nil, args{Team: 7, Since: time.Unix(0, 0)})
	fmt.Println(plan)
	fmt.Println(string(key), err)
	// Output:
	// TeamReport v1 {team=arg:team partition, Since=arg:Since}
	// rf1|TeamReport|v1|arg:team=1:7|arg:Since=20:1970-01-01T00:00:00Z| <nil>
}
