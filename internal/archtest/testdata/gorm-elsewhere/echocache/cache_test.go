package echocache_test

import (
	_ "gorm.io/gorm"
)
