// Package httpcache is here for a rule to look at.
package httpcache

import (
	_ "net/http"

	_ "github.com/restflow-go/restflow"
	_ "github.com/restflow-go/restflow/tagkey"
)
