package restflow_test

import (
	_ "github.com/labstack/echo/v4"
)
