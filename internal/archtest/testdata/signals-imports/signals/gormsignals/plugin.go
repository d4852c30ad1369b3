// Package gormsignals is here for a rule to look at.
package gormsignals

import (
	_ "github.com/restflow-go/restflow"
	_ "github.com/restflow-go/restflow/signals"
	_ "gorm.io/gorm"
)
