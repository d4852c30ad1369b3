package restflow

import (
	_ "github.com/eko/gocache/store/redis/v4"
)
