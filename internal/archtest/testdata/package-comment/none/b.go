//go:build linux

package none
