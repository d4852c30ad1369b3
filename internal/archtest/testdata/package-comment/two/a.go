// Package two is here for a rule to look at.
package two
