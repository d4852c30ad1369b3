// Package common is here for a rule to look at.
package common
