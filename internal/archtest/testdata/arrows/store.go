// Package restflow is here for a rule to look at.
package restflow

import (
	_ "github.com/restflow-go/restflow/echocache"
	_ "github.com/restflow-go/restflow/internal/httpcache"
	_ "github.com/restflow-go/restflow/signals/gormsignals"
)
