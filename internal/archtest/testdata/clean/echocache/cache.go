// Package echocache is here for a rule to look at.
package echocache

import (
	_ "github.com/labstack/echo/v4"
	_ "github.com/restflow-go/restflow"
	_ "github.com/restflow-go/restflow/internal/httpcache"
)
