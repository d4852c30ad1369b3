//go:generate true
package directive
