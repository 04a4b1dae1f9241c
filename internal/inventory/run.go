package inventory

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Run is one process of the provider at work. The parent names it, so that another run can tell whether it still lives.
type Run struct {
	// ID is of this run only.
	ID string `json:"id"`
	// Host is the name of the machine, for messages: many machines may have the same.
	Host string `json:"host,omitempty"`
	// Place identifies the machine, since when it is up, and the pid namespace, within which PID is one process; empty where
	// the system does not say.
	Place string `json:"place,omitempty"`
	// PID is the process, and Started when it began, in the system's own measure: numbers of processes are used again.
	PID     int    `json:"pid,omitempty"`
	Started string `json:"started,omitempty"`
	// Since is when the run began to work on the set on the cluster.
	Since time.Time `json:"since,omitzero"`
}

// ThisRun identifies this process.
func ThisRun() Run {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	_, started, _ := processStat(os.Getpid())
	return Run{ID: rand.Text(), Host: host, Place: place(), PID: os.Getpid(), Started: started}
}

// Ended tells that the run's process is gone. That is certain only of a process of this machine and this pid namespace; of
// any other it is false.
func (r Run) Ended() bool {
	if r.Place == "" || r.Place != place() {
		return false
	}
	process, err := os.FindProcess(r.PID)
	if err != nil {
		return false
	}
	if err := process.Signal(syscall.Signal(0)); errors.Is(err, os.ErrProcessDone) {
		return true
	}
	state, started, ok := processStat(r.PID)
	// A process that was killed is a zombie until its parent has taken notice.
	return ok && (state == "Z" || state == "X" || r.Started != "" && started != r.Started)
}

// proc is where Linux tells about processes. Other systems have no such directory, and then nothing is certain.
const proc = "/proc"

// place is this machine since it is up, and this process's pid namespace.
func place() string {
	boot, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink(filepath.Join(proc, "self/ns/pid"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
}

// processStat reads a process's state and its start time in clock ticks; see proc_pid_stat(5).
func processStat(pid int) (state, started string, ok bool) {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", "", false
	}
	// The name of the program comes second, in parentheses, and may itself hold blanks and parentheses.
	name := strings.LastIndex(string(text), ")")
	if name < 0 {
		return "", "", false
	}
	fields := strings.Fields(string(text[name+1:]))
	const first, startTime = 3, 22
	if len(fields) <= startTime-first {
		return "", "", false
	}
	return fields[0], fields[startTime-first], true
}

func (r Run) text() string {
	if r.ID == "" {
		return ""
	}
	text, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(text)
}

// parseRun reads what text printed. What does not parse is a run that nothing is known of.
func parseRun(text string) Run {
	var r Run
	if json.Unmarshal([]byte(text), &r) != nil {
		return Run{}
	}
	return r
}
