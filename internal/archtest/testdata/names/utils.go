// Package restflow is here for a rule to look at.
package restflow
