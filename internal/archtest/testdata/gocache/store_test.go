package restflow_test

import (
	_ "github.com/eko/gocache/lib/v4/metrics"
	_ "github.com/eko/gocache/store/bigcache/v4"
)
