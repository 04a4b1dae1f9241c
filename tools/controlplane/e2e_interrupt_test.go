package main

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestInterruptedUpLeavesNothing(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			up := r.start("up --clusters 2")
			r.waitForProgram("kube-apiserver")
			up.signal(signal)
			// An impatient person's second try must not cut off the cleaning up.
			up.signal(signal)
			if code := up.end(); code != 1 || !strings.Contains(up.stderr.String(), "interrupted") {
				t.Errorf("exit code %d, want 1 and a word about the interruption\n%s", code, up.stderr)
			}
			r.expectNothingLeft()
		})
	}
}

func TestDownCleansUpAfterAKilledUp(t *testing.T) {
	r := newRig(t)
	up := r.start("up --clusters 2")
	r.waitForProgram("kube-apiserver")
	up.signal(syscall.SIGKILL)
	up.end()
	if len(r.running()) == 0 {
		t.Fatal("nothing was left to clean up")
	}
	if output := r.run("up", 1); !strings.Contains(output, "controlplane down --dir "+r.dir) {
		t.Errorf("does not say how to clean up: %s", output)
	}
	r.run("down", 0)
	r.expectNothingLeft()
}

func TestAttachedUpEndsWithItsInputWhileStarting(t *testing.T) {
	r := newRig(t)
	up := r.start("up --attach --clusters 1")
	r.waitForProgram("kube-apiserver")
	if err := up.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := up.end(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	r.expectNothingLeft()
}

func TestAttachedUpEndsWithASignal(t *testing.T) {
	r := newRig(t)
	up := r.start("up --attach --clusters 1")
	up.waitReady()
	up.signal(syscall.SIGTERM)
	if code := up.end(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	r.expectNothingLeft()
}

func TestAttachedUpEndsWhenTheFleetIsTakenDown(t *testing.T) {
	r := newRig(t)
	up := r.start("up --attach --clusters 1")
	up.waitReady()
	r.run("down", 0)
	if code := up.end(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	r.expectNothingLeft()
}

func TestKilledAttachedUpTakesItsProgramsAlong(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends children with their parent")
	}
	r := newRig(t)
	up := r.start("up --attach --clusters 1")
	up.waitReady()
	up.signal(syscall.SIGKILL)
	up.end()
	r.waitUntil("the programs to end", func() bool { return len(r.running()) == 0 })
	r.run("down", 0)
	r.expectNothingLeft()
}
