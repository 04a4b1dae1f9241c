package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name         string
		args         []string
		program, dir string
	}{
		{"etcd", []string{"/c/etcd", "--name=a", "--data-dir=/f/eu-1/etcd"}, "etcd", "/f/eu-1"},
		{"other flags do not count", []string{"/c/kube-apiserver", "--cert-dir=/f/eu-1/pki"}, "", ""},
		{"nothing", []string{"vi"}, "", ""},
		{"a relative path", []string{"kubectl", "--kubeconfig=.fleet/kubeconfig"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, dir := Identify(test.args)
			if program != test.program || dir != test.dir {
				t.Errorf("got %q on %q, want %q on %q", program, dir, test.program, test.dir)
			}
		})
	}
}

func TestStopEndsAlsoWhatIgnoresTheRequest(t *testing.T) {
	for _, test := range []struct{ name, script string }{
		{"obedient", "while :; do sleep 0.05; done"},
		{"stubborn", "trap '' TERM; while :; do sleep 0.05; done"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			started, err := Start(Spec{
				Path:  "/bin/sh",
				Args:  []string{"-c", test.script, "x", "--data-dir=" + filepath.Join(dir, "data")},
				Log:   filepath.Join(dir, "log"),
				Bound: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			find := func(ctx context.Context) ([]Found, error) {
				return Find(ctx, []string{"sh"}, func(d string) bool { return d == dir })
			}
			found, err := find(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].PID != started.PID {
				t.Fatalf("found %v, want process %d", found, started.PID)
			}
			// The shell must have had the time to set its trap.
			time.Sleep(200 * time.Millisecond)
			if err := Stop(t.Context(), time.Second, find); err != nil {
				t.Fatal(err)
			}
			select {
			case <-started.Done():
			case <-time.After(5 * time.Second):
				t.Error("the process is still there")
			}
		})
	}
}

func TestStartNamesTheProgramThatIsNotThere(t *testing.T) {
	_, err := Start(Spec{Path: "/not/there", Log: filepath.Join(t.TempDir(), "log")})
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that says it does not exist", err)
	}
}
