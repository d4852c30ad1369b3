// Package grammar is here for a rule to look at.
package grammar

import (
	_ "strings"
)
