// Package signals is here for a rule to look at.
package signals

import (
	_ "github.com/restflow-go/restflow/tagkey"
	_ "github.com/sony/gobreaker/v2"
)
