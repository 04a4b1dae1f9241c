package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// The environment of a launcher.
const (
	// EnvProvider is the path of the real provider.
	EnvProvider = "FLEET_BENCH_PROVIDER"
	// EnvRecords is the file to which launchers append a Record as JSON, one a line.
	EnvRecords = "FLEET_BENCH_RECORDS"
)

// Launch is the whole of the program in the provider's place: it runs the real one, notes what it cost, and returns its exit code.
func Launch() int {
	// A provider ignores the interrupt that a terminal sends to all of Terraform's children, and so must its launcher.
	signal.Ignore(os.Interrupt)
	// With Pdeathsig, the provider ends with the thread that started it.
	runtime.LockOSThread()
	cmd := exec.Command(os.Getenv(EnvProvider), os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = bound()
	record := Record{PID: os.Getpid(), Start: time.Now()}
	if err := note(record); err != nil {
		return complain(err)
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return complain(err)
	}
	record.End = time.Now()
	record.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	record.MaxRSS = maxRSS(cmd.ProcessState)
	if err := note(record); err != nil {
		return complain(err)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintf(os.Stderr, "measuring the provider: %v\n", err)
	return 1
}

// note appends a record in one write, as several launchers may share the file.
func note(record Record) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(os.Getenv(EnvRecords), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// maxRSS is a process' peak memory in bytes; 0 where the system does not tell.
func maxRSS(state *os.ProcessState) int64 {
	used, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	size := int64(used.Maxrss) //nolint:unconvert // it has 32 bits on some systems
	if runtime.GOOS == "darwin" {
		return size
	}
	return size * 1024
}
