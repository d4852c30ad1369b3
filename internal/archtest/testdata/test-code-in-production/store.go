// Package restflow is here for a rule to look at.
package restflow

import (
	_ "net/http/httptest"
	_ "testing"
	_ "testing/fstest"

	_ "github.com/stretchr/testify/require"
)
