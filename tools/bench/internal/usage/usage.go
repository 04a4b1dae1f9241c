// Package usage measures what processes cost: time by the clock, processor time, and peak memory.
//
// Terraform starts a provider itself and tells nobody what it cost. So what Terraform finds in the provider's place is
// the program launcher, which runs the real one, waits for it with wait4, and notes what that says.
package usage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// Cost is what a command cost.
type Cost struct {
	// Wall is the time by the clock.
	Wall time.Duration
	// CPU is processor time, user and system, of the command without its providers.
	CPU time.Duration
	// ProviderCPU is that of all its provider processes; 0 for a command without providers.
	ProviderCPU time.Duration
	// Peak is how many bytes of memory its providers had at most, all that ran at the same time together; for a command
	// without providers it is the command's own.
	Peak int64
}

// Record is what Launch notes of one provider process.
type Record struct {
	// PID is the launcher's process id.
	PID int
	// Start and End are when the process ran; End is zero in what is noted as it starts.
	Start, End time.Time
	// CPU is its processor time, user and system.
	CPU time.Duration
	// MaxRSS is its peak memory, in bytes.
	MaxRSS int64
}

// Run runs a command and tells what it and its providers cost. records is the file that EnvRecords in the command's
// environment names; empty for a command without providers. An error of the command is returned beside the cost.
func Run(cmd *exec.Cmd, records string) (Cost, error) {
	if err := os.Remove(records); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Cost{}, err
	}
	start := time.Now()
	failed := cmd.Run()
	cost := Cost{Wall: time.Since(start)}
	if cmd.ProcessState == nil {
		return cost, failed
	}
	// What is waited for counts with who waits, so this is Terraform, the launchers and the providers.
	cost.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	list, err := readRecords(records)
	if err != nil {
		return cost, errors.Join(failed, err)
	}
	if len(list) == 0 {
		cost.Peak = maxRSS(cmd.ProcessState)
		return cost, failed
	}
	for _, record := range list {
		cost.ProviderCPU += record.CPU
	}
	cost.CPU -= cost.ProviderCPU
	cost.Peak = peak(list)
	return cost, failed
}

// readRecords reads what the launchers noted. A provider that was killed before its launcher could note anything is an
// error: its cost is not known.
func readRecords(path string) ([]Record, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	running := map[int]bool{}
	var ended []Record
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		var record Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		if record.End.IsZero() {
			running[record.PID] = true
			continue
		}
		delete(running, record.PID)
		ended = append(ended, record)
	}
	if len(running) > 0 {
		return nil, fmt.Errorf("%d provider processes were killed before they ended, so what they cost is not known", len(running))
	}
	return ended, nil
}

// peak is the most that processes which ran at the same time had together. It is an upper bound: their own peaks need
// not have been at the same moment.
func peak(list []Record) int64 {
	type event struct {
		at    time.Time
		bytes int64
	}
	events := make([]event, 0, 2*len(list))
	for _, record := range list {
		events = append(events, event{record.Start, record.MaxRSS}, event{record.End, -record.MaxRSS})
	}
	slices.SortFunc(events, func(a, b event) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return int(min(max(a.bytes-b.bytes, -1), 1)) // one that ends makes room for one that starts
	})
	var now, most int64
	for _, event := range events {
		now += event.bytes
		most = max(most, now)
	}
	return most
}
