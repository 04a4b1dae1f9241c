package programs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// fakeGo puts a go command on PATH that runs a shell script.
func fakeGo(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// findOutput is the part of a script that sets out to the value of -o.
const findOutput = `while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
`

func newBuilder(t *testing.T) (*Builder, Release) {
	t.Helper()
	cache, err := OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	release := Release{Name: "etcd", Dir: t.TempDir(), Version: "v3.0.0", Packages: map[string]string{Etcd: "example.com/etcd"}, Key: "etcd-key"}
	return &Builder{Cache: cache, Log: hclog.NewNullLogger(), Say: t.Logf}, release
}

func TestBuildPutsTheProgramInTheCacheOnce(t *testing.T) {
	calls := filepath.Join(t.TempDir(), "calls")
	fakeGo(t, fmt.Sprintf("echo x >>%s\n%ssleep 0.2; echo program >$out\n", calls, findOutput))
	builder, release := newBuilder(t)
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := builder.Build(t.Context(), release, Etcd); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if !builder.Cache.Has(release, Etcd) {
		t.Error("the program is not in the cache")
	}
	content, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	if count := strings.Count(string(content), "x"); count != 1 {
		t.Errorf("built %d times, want once", count)
	}
}

func TestFailedBuildsSayWhyAndLeaveNothing(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         []string
	}{
		{"compiler", findOutput + "echo half >$out; for i in $(seq 30); do echo line $i >&2; done; exit 1",
			[]string{"building etcd v3.0.0", "exit status 1", "example.com/etcd", "line 30", "(10 lines before this)"}},
		{"disk full", "echo 'write /tmp/x: no space left on device' >&2; exit 1",
			[]string{"the disk is full", "MiB are free", "--cache"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakeGo(t, test.script)
			builder, release := newBuilder(t)
			_, err := builder.Build(t.Context(), release, Etcd)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
			expectOnlyLock(t, builder, release)
		})
	}
}

func TestInterruptedBuildEndsTheCompilers(t *testing.T) {
	fakeGo(t, findOutput+"echo half >$out; sleep 60 & wait\n")
	builder, release := newBuilder(t)
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { cancel(interrupted) })
	start := time.Now()
	if _, err := builder.Build(ctx, release, Etcd); !errors.Is(err, interrupted) {
		t.Errorf("got %v, want the cause", err)
	}
	// The pipes of the background sleep are open until it ends.
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	expectOnlyLock(t, builder, release)
}

func TestRemainsOfAKilledBuildAreRemoved(t *testing.T) {
	fakeGo(t, findOutput+"echo program >$out\n")
	builder, release := newBuilder(t)
	left := builder.Cache.Path(release, Etcd) + partial + "1"
	if err := os.MkdirAll(filepath.Dir(left), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := builder.Build(t.Context(), release, Etcd); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", left)
	}
}

func expectOnlyLock(t *testing.T, builder *Builder, release Release) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(builder.Cache.Dir(), release.Key))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != ".lock" {
			t.Errorf("left in the cache: %s", entry.Name())
		}
	}
}

func TestAssetsAreUsedWhereTheyAre(t *testing.T) {
	fakeGo(t, "case $1 in list) echo '{}'; exit;; esac\n"+findOutput+"echo program >$out\n")
	assets := t.TempDir()
	for _, name := range []string{Etcd, APIServer, Scheduler} {
		if err := os.WriteFile(filepath.Join(assets, name), []byte("#!/bin/sh\necho Kubernetes v1.33.1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	builder, _ := newBuilder(t)
	supply := &Supply{Catalog: realCatalog(t), Builder: builder, Assets: assets}
	set, err := supply.Set(t.Context(), "v1.36.3")
	if err != nil {
		t.Fatal(err)
	}
	closest := supply.Catalog.Closest("v1.33.1")
	for program, want := range map[string]string{
		Etcd:              filepath.Join(assets, Etcd),
		APIServer:         filepath.Join(assets, APIServer),
		Scheduler:         filepath.Join(assets, Scheduler),
		ControllerManager: builder.Cache.Path(closest, ControllerManager),
		Kwok:              builder.Cache.Path(supply.Catalog.Kwok, Kwok),
	} {
		if set.Paths[program] != want {
			t.Errorf("%s is %s, want %s", program, set.Paths[program], want)
		}
	}
	if set.Version != "v1.33.1" {
		t.Errorf("version is %s, want v1.33.1", set.Version)
	}
}

func TestAssetsWithoutAnAPIServerAreRefused(t *testing.T) {
	builder, _ := newBuilder(t)
	supply := &Supply{Catalog: &Catalog{}, Builder: builder, Assets: t.TempDir()}
	if _, err := supply.Set(t.Context(), "v1.36.3"); err == nil || !strings.Contains(err.Error(), "has no program etcd") {
		t.Errorf("got %v, want one that names the program", err)
	}
}
