package restflow_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// A change of an item reaches the lists that show it, too, if their requests leave the
// parameter out that tells the item's group, or empty.
func TestDropReachesRequestsThatLeaveParametersOut(t *testing.T) {
	type user string
	type key struct {
		Category string `restflow:"query,category,partition"`
		ID       *int   `restflow:"path,id,partition"`
		Lang     string `restflow:"header,Accept-Language,partition"`
		User     user   `restflow:"request,user,optional,partition"`
	}
	id := 1
	changed := &key{Category: "a", ID: &id, Lang: "de", User: "ada"}
	all := []string{"category", "id", "Accept-Language", "user"}
	type request struct{ query, id, lang, user string }
	whole := request{"category=a", "1", "de", "ada"}
	for _, c := range []struct {
		names []string
		ask   request
		dead  bool
	}{
		{all, whole, true},
		{all, request{"", "1", "de", "ada"}, true},
		{all, request{"category=a", "", "de", "ada"}, true},
		{all, request{"", "", "de", "ada"}, true},
		{all, request{"", "", "", "ada"}, false}, // another language
		{all, request{"", "", "de", ""}, false},  // a stranger's
		{all, request{"", "", "de", "bob"}, false},
		{all, request{"category=b", "", "de", "ada"}, false},
		{all, request{"category=", "", "de", "ada"}, true}, // as forms send it
		{all, request{"category=", "1", "de", "ada"}, true},
		{all, request{"category=", "", "de", "bob"}, false},
		{[]string{"category"}, request{"", "7", "en", "bob"}, true},
		{[]string{"category"}, request{"category=b", "1", "de", "ada"}, false},
		{[]string{"id"}, request{"category=b", "", "en", "bob"}, true},
		{[]string{"user"}, request{"category=a", "1", "de", ""}, false},
	} {
		s := openMemory(t)
		space := restflow.NewKeyspace(s, tagkey.MustCompile[key]())
		r := &tagkey.Request{HTTP: httptest.NewRequest(http.MethodGet, "/?"+c.ask.query, nil), Values: values{}}
		if c.ask.id != "" {
			r.ParamNames, r.ParamValues = []string{"id"}, []string{c.ask.id}
		}
		if c.ask.lang != "" {
			r.HTTP.Header.Set("Accept-Language", c.ask.lang)
		}
		if c.ask.user != "" {
			r.Values = values{"user": c.ask.user}
		}
		var built tagkey.Key
		require.NoError(t, space.Plan.BuildRequest(&built, r))
		k := new(restflow.Key)
		space.Fill(k, &built, built.Bytes())
		put(t, s, k, "here")
		require.NoError(t, space.Drop(t.Context(), []signals.Group{{Key: changed, Names: c.names}}))
		require.Equal(t, c.dead, lookup(t, s, k) == "", "%v %+v", c.names, c.ask)

		put(t, s, k, "here")
		require.NoError(t, space.Drop(t.Context(), []signals.Group{{Key: changed, Names: c.names, Soft: time.Minute}}))
		require.Equal(t, c.dead, softly(t, s, k) != "", "%v %+v", c.names, c.ask)

		put(t, s, k, "here")
		require.NoError(t, space.Invalidate(t.Context(), changed, c.names...))
		exact := c.ask == whole || len(c.names) == 1 && c.dead && c.ask.query == "category=a"
		require.Equal(t, exact, lookup(t, s, k) == "", "by hand it is just the group: %v %+v", c.names, c.ask)
	}
}

type values map[string]any

func (v values) Get(name string) any { return v[name] }

// A key that does not say who asked, and leaves it to all fields to tell the group,
// names a group without entries.
func TestInvalidateNeedsTheIdentityOrNames(t *testing.T) {
	type UserKey struct {
		PK   int64  `restflow:"path,pk,partition"`
		User string `restflow:"request,user.id,partition"`
	}
	s := openMemory(t)
	space := restflow.NewSpace[UserKey](restflow.NewKeyspace(s, tagkey.MustCompile[UserKey]()))
	const want = "restflow: UserKey.User (request:user.id) is empty, and no fields are named: name those that tell the group, and all of them if it is meant to be empty"
	require.EqualError(t, space.Invalidate(t.Context(), UserKey{PK: 42}), want)
	require.EqualError(t, restflow.Wipe(t.Context(), UserKey{PK: 42}), want)
	require.NoError(t, space.Invalidate(t.Context(), UserKey{PK: 42}, "pk"))
	require.NoError(t, space.Invalidate(t.Context(), UserKey{PK: 42}, "pk", "user.id"))
	require.NoError(t, space.Invalidate(t.Context(), UserKey{User: "ada"}))
}
