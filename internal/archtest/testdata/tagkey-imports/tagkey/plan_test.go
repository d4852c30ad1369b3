package tagkey_test

import (
	_ "github.com/restflow-go/restflow"
)
