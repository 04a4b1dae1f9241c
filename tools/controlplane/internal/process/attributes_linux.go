package process

import "syscall"

func attributes(bound bool) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if bound {
		attributes.Pdeathsig = syscall.SIGKILL
	}
	return attributes
}
