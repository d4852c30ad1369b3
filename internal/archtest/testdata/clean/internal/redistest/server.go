// Package redistest is here for a rule to look at.
package redistest

import (
	_ "testing"

	_ "github.com/redis/go-redis/v9"
)
