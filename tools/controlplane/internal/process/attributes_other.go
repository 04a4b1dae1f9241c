//go:build !linux

package process

import "syscall"

// attributes ignores bound: no other system ends a child with its parent. There
// a killed supervisor leaves its programs to the next down.
func attributes(bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true}
}
