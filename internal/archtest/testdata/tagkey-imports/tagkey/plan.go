// Package tagkey is here for a rule to look at.
package tagkey

import (
	_ "github.com/cespare/xxhash/v2"
	_ "github.com/restflow-go/restflow"
	_ "github.com/restflow-go/restflow/signals"
)
