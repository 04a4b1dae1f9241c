package process

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
)

// Found is a running program of a cluster.
type Found struct {
	// PID is the process id.
	PID int
	// Program is the base name of the program's file.
	Program string
	// Dir is the cluster's directory the program works on.
	Dir string
	// Memory is the resident memory in bytes.
	Memory uint64
}

// markers are the flags that name a file directly in a cluster's directory, one
// for each program.
var markers = []string{"--data-dir=", "--audit-policy-file=", "--kubeconfig="}

// Find lists the running processes that are one of programs and work on a
// cluster's directory of which owns says that it is meant. A process is known by
// its command line: a recorded process id alone could by now belong to something
// else, and a process that was started but never recorded is found all the same.
func Find(ctx context.Context, programs []string, owns func(dir string) bool) ([]Found, error) {
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the running processes: %w", err)
	}
	var found []Found
	for _, candidate := range all {
		// A process that ends while it is being looked at is not running.
		args, err := candidate.CmdlineSliceWithContext(ctx)
		if err != nil || len(args) == 0 {
			continue
		}
		program, dir := Identify(args)
		if !slices.Contains(programs, program) || !owns(dir) {
			continue
		}
		f := Found{PID: int(candidate.Pid), Program: program, Dir: dir}
		if memory, err := candidate.MemoryInfoWithContext(ctx); err == nil {
			f.Memory = memory.RSS
		}
		found = append(found, f)
	}
	return found, ctx.Err()
}

// Identify returns the program of a command line and the cluster's directory it
// works on, or "" when it works on none.
func Identify(args []string) (program, dir string) {
	for _, arg := range args[1:] {
		for _, marker := range markers {
			if path, ok := strings.CutPrefix(arg, marker); ok && filepath.IsAbs(path) {
				return filepath.Base(args[0]), filepath.Dir(path)
			}
		}
	}
	return "", ""
}
