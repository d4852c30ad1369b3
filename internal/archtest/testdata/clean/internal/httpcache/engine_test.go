package httpcache_test

import (
	_ "github.com/restflow-go/restflow/testutil"
	_ "net/http/httptest"
	_ "testing"
)
