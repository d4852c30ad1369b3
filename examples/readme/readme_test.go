package main

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/testutil"
)

// What the README says of its program is what it does; that the README shows this
// program is tested with all other code in the documents.
func TestProgramOfTheReadme(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		german := testutil.AsHeader("Accept-Language", "de")
		testutil.Run(t, app(store), nil, []testutil.Step{
			{Name: "first", Request: "GET /items/1", Want: restflow.Miss},
			{Name: "again", Request: "GET /items/1", Want: restflow.Hit},
			{Name: "another language", Request: "GET /items/1", As: german, Want: restflow.Miss},
			{Name: "another item", Request: "GET /items/2", Want: restflow.Miss},
			{Name: "a write", Request: "PUT /items/1", Want: restflow.Bypass, WantStatus: http.StatusOK},
			{Name: "drops the item", Request: "GET /items/1", Want: restflow.Miss},
			{Name: "in all languages", Request: "GET /items/1", As: german, Want: restflow.Miss},
			{Name: "and no other", Request: "GET /items/2", Want: restflow.Hit},
		})
	})
}
