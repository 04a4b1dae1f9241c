package programs

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/disk"
)

// tailLines is enough for the compiler's messages about one package.
const tailLines = 20

// explain turns a failed run of the go command into an error that says what to
// do about it.
func explain(err error, command *exec.Cmd, stderr, cacheDir string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no go command on PATH; install Go from https://go.dev/dl")
	}
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(stderr, "no space left on device") {
		return fmt.Errorf("the disk is full%s; free some space, or move the built programs with --cache and Go's files with GOCACHE, GOMODCACHE and GOTMPDIR", freeSpace(cacheDir))
	}
	return fmt.Errorf("%w\n  command: cd %s && %s\n  output:\n%s", err, command.Dir, shell(command.Args), indent(tail(stderr, tailLines)))
}

func freeSpace(dir string) string {
	usage, err := disk.Usage(dir)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%d MiB are free at %s)", usage.Free>>20, dir)
}

func tail(text string, count int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if cut := len(lines) - count; cut > 0 {
		lines = append([]string{fmt.Sprintf("(%d lines before this)", cut)}, lines[cut:]...)
	}
	return strings.Join(lines, "\n")
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}

// shell quotes arguments so that the command can be pasted into a shell.
func shell(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if strings.ContainsAny(arg, " '\"$") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
