package programs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Builder builds programs that are not in the cache.
type Builder struct {
	Cache *Cache
	Log   hclog.Logger
	// Say prints a line of progress.
	Say func(format string, args ...any)
}

// Build makes sure that programs of a release are in the cache, and returns how
// many it had to build.
func (b *Builder) Build(ctx context.Context, release Release, programs ...string) (built int, err error) {
	missing := b.missing(release, programs)
	if len(missing) == 0 {
		return 0, nil
	}
	lock, err := b.Cache.lock(ctx, release, func() {
		b.Say("waiting for another build of %s %s", release.Name, release.Version)
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		if unlockErr := lock.Close(); unlockErr != nil {
			err = errors.Join(err, fmt.Errorf("unlocking the cache: %w", unlockErr))
		}
	}()
	if err := b.Cache.clean(release); err != nil {
		return 0, fmt.Errorf("removing what an earlier build left: %w", err)
	}
	missing = b.missing(release, programs)
	for _, program := range missing {
		if err := b.buildOne(ctx, release, program); err != nil {
			return built, err
		}
		built++
	}
	return built, nil
}

func (b *Builder) missing(release Release, programs []string) []string {
	var missing []string
	for _, program := range programs {
		if !b.Cache.Has(release, program) {
			missing = append(missing, program)
		}
	}
	return missing
}

func (b *Builder) buildOne(ctx context.Context, release Release, program string) (err error) {
	pkg, ok := release.Packages[program]
	if !ok {
		return fmt.Errorf("%s has no tool directive for %s", filepath.Join(release.Dir, "go.mod"), program)
	}
	b.Say("building %s %s (%s)", program, release.Version, pkg)
	start := time.Now()
	flags, err := b.linkerFlags(ctx, release)
	if err != nil {
		return err
	}
	target := b.Cache.Path(release, program)
	temporary := fmt.Sprintf("%s%s%d", target, partial, os.Getpid())
	defer func() {
		if removeErr := os.Remove(temporary); removeErr != nil && !errors.Is(removeErr, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("removing an unfinished build: %w", removeErr))
		}
	}()
	if _, err := b.run(ctx, release, "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", temporary, pkg); err != nil {
		return fmt.Errorf("building %s %s: %w", program, release.Version, err)
	}
	if err := os.Rename(temporary, target); err != nil {
		return fmt.Errorf("moving the built %s into the cache: %w", program, err)
	}
	b.Say("built    %s %s in %s", program, release.Version, time.Since(start).Round(100*time.Millisecond))
	return nil
}

func (b *Builder) linkerFlags(ctx context.Context, release Release) (string, error) {
	flags := []string{"-s", "-w"}
	if release.Packages[APIServer] == "" {
		return strings.Join(flags, " "), nil
	}
	output, err := b.run(ctx, release, "list", "-mod=readonly", "-m", "-json", release.Module)
	if err != nil {
		return "", fmt.Errorf("asking for the date of %s %s: %w", release.Module, release.Version, err)
	}
	var module struct{ Time time.Time }
	if err := json.Unmarshal(output, &module); err != nil {
		return "", fmt.Errorf("reading the date of %s %s: %w", release.Module, release.Version, err)
	}
	major, minor, _ := strings.Cut(Minor(release.Version), ".")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+release.Version,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor,
			// A module's archive does not say which commit it was made of.
			"-X", pkg+".gitCommit=unknown",
			"-X", pkg+".gitTreeState=archive",
			"-X", pkg+".buildDate="+module.Time.UTC().Format(time.RFC3339),
		)
	}
	return strings.Join(flags, " "), nil
}

func (b *Builder) run(ctx context.Context, release Release, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = release.Dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "PWD="+release.Dir)
	// The compilers are children of go; all of them are to end with this build.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	b.Log.Debug("running go", "dir", release.Dir, "args", args)
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, explain(err, command, stderr.String(), b.Cache.dir)
	}
	return []byte(stdout.String()), nil
}
