// Package restflow is here for a rule to look at.
package restflow

import (
	_ "github.com/labstack/echo/v4"
)
