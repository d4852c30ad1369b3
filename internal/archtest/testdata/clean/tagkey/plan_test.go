package tagkey_test

import (
	_ "github.com/stretchr/testify/require"
	_ "testing"
)
