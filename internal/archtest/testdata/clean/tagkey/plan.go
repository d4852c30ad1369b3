// Package tagkey is here for a rule to look at.
package tagkey

import (
	_ "reflect"

	_ "github.com/restflow-go/restflow/tagkey/internal/grammar"
)
