package httpcache_test

import (
	_ "github.com/labstack/echo/v4"
)
