package bench

import _ "github.com/eko/gocache/lib/v4/cache"
