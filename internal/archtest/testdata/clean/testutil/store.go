// Package testutil is here for a rule to look at.
package testutil

import (
	_ "github.com/labstack/echo/v4"
	_ "github.com/restflow-go/restflow/internal/httpcache"
	_ "net/http/httptest"
	_ "testing"
)
