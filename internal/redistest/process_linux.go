package redistest

import "syscall"

// dieWithParent lets the kernel end a server whose test binary died without
// cleaning up, as one does that runs into its -timeout.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
