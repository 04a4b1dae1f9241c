package programs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// SourceDir finds the directory of the nested modules. It is not embedded: a Go
// program cannot embed the files of another module.
func SourceDir() (string, error) {
	var candidates []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		candidates = append(candidates, filepath.Join(filepath.Dir(file), "..", "..", "build"))
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	for {
		candidates = append(candidates, filepath.Join(dir, "build"), filepath.Join(dir, "tools", "controlplane", "build"))
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(filepath.Join(candidate, Etcd, "go.mod")); err == nil {
			return filepath.Clean(candidate), nil
		}
	}
	return "", errors.New("cannot find the modules to build: run this inside a checkout of terraform-provider-fleet, or build it there without -trimpath")
}
