package main

import (
	"os"
	"runtime/debug"
	"strings"
)

const (
	// garbage is how much the heap may grow, in percent, before it is collected: a provider lives for seconds, and what it makes it mostly keeps.
	garbage = 300
	// plenty is the memory, in bytes, from which on it is collected as often as need be.
	plenty = 768 << 20
)

// tune makes a short-lived process of one that Go would run as a server. What the environment says of memory and of logs stands.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(plenty)
	}
}

// hush has nothing logged that Terraform throws away: without TF_LOG or one of its like it reads every line of a provider and drops it, and on
// a large fleet a tenth of the time goes into writing them. See https://developer.hashicorp.com/terraform/internals/debugging.
func hush() error {
	for _, setting := range os.Environ() {
		name, value, _ := strings.Cut(setting, "=")
		if value != "" && (name == "TF_LOG" || strings.HasPrefix(name, "TF_LOG_PROVIDER") || strings.HasPrefix(name, "TF_LOG_SDK")) {
			return nil
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_PROVIDER_FLEET"} {
		if err := os.Setenv(name, "OFF"); err != nil {
			return err
		}
	}
	return nil
}
