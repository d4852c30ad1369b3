//go:build !linux

package redistest

import "syscall"

// dieWithParent asks for nothing: only Linux can end a process together with
// its parent. Elsewhere a test binary that dies leaves its servers running.
func dieWithParent() *syscall.SysProcAttr { return nil }
