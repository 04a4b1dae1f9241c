package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// partial marks files that are still being built.
const partial = ".partial-"

// Cache is a directory of built programs.
type Cache struct {
	dir string
}

// OpenCache returns the cache in dir, or in the default place when dir is empty.
func OpenCache(dir string) (*Cache, error) {
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding a place for built programs: %w; name one with --cache", err)
		}
		dir = filepath.Join(base, "fleet-controlplane")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the cache directory: %w", err)
	}
	return &Cache{dir: dir}, nil
}

// Dir is the directory of the cache.
func (c *Cache) Dir() string { return c.dir }

// Path returns where a program of a release is, or will be once it is built.
func (c *Cache) Path(release Release, program string) string {
	return filepath.Join(c.dir, release.Key, program)
}

// Has reports whether a program of a release is built.
func (c *Cache) Has(release Release, program string) bool {
	info, err := os.Stat(c.Path(release, program))
	return err == nil && info.Mode().IsRegular()
}

// lock keeps other processes from building the same release at the same time.
func (c *Cache) lock(ctx context.Context, release Release, waiting func()) (*flock.Flock, error) {
	dir := filepath.Join(c.dir, release.Key)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the cache directory: %w; name another with --cache", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		waiting()
		_, err = lock.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return lock, nil
}

// clean removes what a build that was killed left behind. The lock is held, so
// nobody else's build is cut off.
func (c *Cache) clean(release Release) error {
	dir := filepath.Join(c.dir, release.Key)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the cache: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if strings.Contains(entry.Name(), partial) {
			errs = append(errs, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// cacheKey changes with everything that decides what the programs do.
func cacheKey(release Release, mod, sum []byte) string {
	hash := sha256.New()
	for _, part := range [][]byte{mod, sum, []byte(runtime.GOOS + "/" + runtime.GOARCH)} {
		fmt.Fprintf(hash, "%d\n", len(part))
		hash.Write(part)
	}
	kind, _, _ := strings.Cut(release.Name, "-")
	return kind + "-" + release.Version + "-" + hex.EncodeToString(hash.Sum(nil))[:12]
}
