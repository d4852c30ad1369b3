// Package echocache is here for a rule to look at.
package echocache

import (
	_ "gorm.io/gorm"
	_ "gorm.io/gorm/clause"
)
