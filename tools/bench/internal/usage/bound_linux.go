package usage

import "syscall"

// bound ends the provider with a launcher that is killed.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
