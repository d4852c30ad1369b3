// Package bench is here for a rule to look at.
package bench
