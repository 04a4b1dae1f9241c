//go:build profile

package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// The build with the tag profile writes profiles of every provider process into FLEET_PROFILE_DIR: cpu-PID.pprof and
// heap-PID.pprof. Releases have none of this.
func init() {
	dir := os.Getenv("FLEET_PROFILE_DIR")
	if dir == "" {
		return
	}
	path := func(kind string) string { return filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", kind, os.Getpid())) }
	cpu, err := os.Create(path("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		log.Fatal(err)
	}
	finish = func() {
		pprof.StopCPUProfile()
		if err := errors.Join(cpu.Close(), writeHeap(path("heap"))); err != nil {
			log.Print(err)
		}
	}
}

func writeHeap(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // what is in use is told as of the last collection
	return errors.Join(pprof.WriteHeapProfile(file), file.Close())
}
