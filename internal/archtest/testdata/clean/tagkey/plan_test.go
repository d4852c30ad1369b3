package tagkey_test

import (
	_ "testing"

	_ "github.com/stretchr/testify/require"
)
