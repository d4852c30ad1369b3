// Package restflow is here for a rule to look at.
package restflow

import (
	_ "github.com/stretchr/testify/require"
	_ "net/http/httptest"
	_ "testing"
	_ "testing/fstest"
)
