//go:build !linux

package usage

import "syscall"

// bound does nothing: no other system ends a child with its parent.
func bound() *syscall.SysProcAttr {
	return nil
}
