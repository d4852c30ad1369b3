// Package signals is here for a rule to look at.
package signals

import (
	_ "context"
)
