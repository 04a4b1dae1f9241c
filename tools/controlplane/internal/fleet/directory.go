package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// Resolve returns the one name of a fleet's directory, which need not exist:
// processes are recognised by it.
func Resolve(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the directory %s: %w", dir, err)
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if errors.Is(err, os.ErrNotExist) {
		parent := filepath.Dir(absolute)
		if parent == absolute {
			return absolute, nil
		}
		if parent, err = Resolve(parent); err != nil {
			return "", err
		}
		return filepath.Join(parent, filepath.Base(absolute)), nil
	}
	if err != nil {
		return "", fmt.Errorf("finding the directory: %w", explainWrite(err, dir))
	}
	return resolved, nil
}

// lockDir keeps other commands from working on the same directory.
func lockDir(ctx context.Context, dir string, waiting func()) (*flock.Flock, error) {
	path := lockPath(dir)
	for {
		lock := flock.New(path, flock.SetPermissions(0o600))
		locked, err := lock.TryLock()
		if err == nil && !locked {
			waiting()
			_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("locking %s: %w", dir, explainWrite(err, dir))
		}
		if isSame(lock, path) {
			return lock, nil
		}
		// Whoever held the lock before took the fleet down and removed the file, so
		// this lock excludes nobody.
		if err := lock.Close(); err != nil {
			return nil, fmt.Errorf("unlocking %s: %w", dir, err)
		}
	}
}

func isSame(lock *flock.Flock, path string) bool {
	held, err := lock.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(path)
	return err == nil && os.SameFile(held, current)
}

func lockPath(dir string) string { return filepath.Join(dir, ".lock") }

// explainWrite says what to do about a directory that cannot be written to.
func explainWrite(err error, dir string) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w; free some space or choose another directory than %s with --dir", err, dir)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; %s is not writable, choose another directory with --dir", err, dir)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrExist):
		return fmt.Errorf("%w; %s is not a directory, choose another with --dir", err, dir)
	default:
		return err
	}
}

// removeDir removes the directory if nothing is left in it. What others put
// there stays.
func removeDir(dir string) error {
	err := os.Remove(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing the fleet's directory: %w", err)
	}
	return nil
}
