// Package testutil is here for a rule to look at.
package testutil

import (
	_ "net/http/httptest"
	_ "testing"

	_ "github.com/labstack/echo/v4"
	_ "github.com/restflow-go/restflow/internal/httpcache"
)

func leader() { panic("as a handler would") }
