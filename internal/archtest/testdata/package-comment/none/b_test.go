// Package none is not described here.
package none
