// Package process starts the programs of a fleet, finds them again, and stops
// them.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// Spec says what to start.
type Spec struct {
	// Path is the program's file.
	Path string
	// Args are its arguments, without its name.
	Args []string
	// Log is the file its output is appended to.
	Log string
	// Bound ends the program when this process dies, however it dies.
	Bound bool
}

// Process is a program this process started.
type Process struct {
	PID  int
	done chan struct{}
	err  error
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, once Done is closed.
func (p *Process) Err() error { return p.err }

// Start starts a program in a session of its own, so that neither a Ctrl-C nor
// the end of the terminal reaches it.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", spec.Path, err)
	}
	command := exec.Command(spec.Path, spec.Args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = attributes(spec.Bound)
	started := startOnKeptThread()(command)
	// The child has its own copy of the descriptor.
	if err := errors.Join(started, log.Close()); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Path, err)
	}
	process := &Process{PID: command.Process.Pid, done: make(chan struct{})}
	go func() {
		process.err = command.Wait()
		close(process.done)
	}()
	return process, nil
}

type request struct {
	command *exec.Cmd
	result  chan error
}

// startOnKeptThread starts every program from one thread that never ends: the
// death signal of Linux is tied to the thread that forked, not to the process,
// and the Go runtime may end any other thread.
var startOnKeptThread = sync.OnceValue(func() func(*exec.Cmd) error {
	requests := make(chan request)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.result <- r.command.Start()
		}
	}()
	return func(command *exec.Cmd) error {
		r := request{command: command, result: make(chan error, 1)}
		requests <- r
		return <-r.result
	}
})
