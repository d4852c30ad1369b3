package httpcache_test

import (
	_ "net/http/httptest"
	_ "testing"

	_ "github.com/restflow-go/restflow/testutil"
)
