// Package restflow is here for a rule to look at.
package restflow

import (
	_ "github.com/eko/gocache/lib/v4/cache"
	_ "github.com/eko/gocache/lib/v4/store"
)
