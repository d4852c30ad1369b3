package restflow

import (
	_ "github.com/restflow-go/restflow/internal/redistest"
	_ "github.com/restflow-go/restflow/testutil"
)
