package usage

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// This test binary is the launcher and the provider of its own tests, too.
func TestMain(m *testing.M) {
	switch {
	case strings.HasPrefix(filepath.Base(os.Args[0]), "terraform-provider-"):
		os.Exit(Launch())
	case os.Getenv("USAGE_TEST_PROVIDER") != "":
		provide()
	default:
		os.Exit(m.Run())
	}
}

// provide is a provider that has 64 MB, says a word and ends.
func provide() {
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = byte(i)
	}
	fmt.Fprintf(os.Stdout, "handshake %d %s\n", block[1], strings.Join(os.Args[1:], " "))
	if os.Getenv("USAGE_TEST_FAIL") != "" {
		os.Exit(3)
	}
	os.Exit(0)
}

// launcher is a shell, in the part of Terraform, that runs a launcher as often as there are words.
func launcher(t *testing.T, script string, env ...string) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "terraform-provider-test")); err != nil {
		t.Fatal(err)
	}
	records := filepath.Join(dir, "records")
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), EnvProvider+"="+self, EnvRecords+"="+records, "USAGE_TEST_PROVIDER=1")
	cmd.Env = append(cmd.Env, env...)
	return cmd, records
}

func TestRunTellsTheProvidersCostApart(t *testing.T) {
	cmd, records := launcher(t, "./terraform-provider-test one; ./terraform-provider-test two")
	var out strings.Builder
	cmd.Stdout = &out
	cost, err := Run(cmd, records)
	if err != nil {
		t.Fatal(err)
	}
	if want := "handshake 1 one\nhandshake 1 two\n"; out.String() != want {
		t.Errorf("output %q, want %q", out.String(), want)
	}
	// Two that run one after the other have no more together than one of them.
	if cost.Peak < 64<<20 || cost.Peak > 110<<20 {
		t.Errorf("peak %d MiB, want 64 and a little", cost.Peak>>20)
	}
	if cost.ProviderCPU <= 0 || cost.CPU <= 0 || cost.Wall <= 0 {
		t.Errorf("cost %+v has nothing in it", cost)
	}
}

func TestRunPassesFailureOn(t *testing.T) {
	cmd, records := launcher(t, "exec ./terraform-provider-test", "USAGE_TEST_FAIL=1")
	if _, err := Run(cmd, records); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("exit code %d (%v), want the provider's 3", cmd.ProcessState.ExitCode(), err)
	}
}

func TestRunWithoutProviders(t *testing.T) {
	cost, err := Run(exec.Command("true"), "")
	if err != nil {
		t.Fatal(err)
	}
	if cost.ProviderCPU != 0 || cost.Peak == 0 {
		t.Errorf("cost %+v, want the command's own peak and no provider", cost)
	}
}

func TestKilledProviderIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	if err := os.WriteFile(path, []byte(`{"PID":7,"Start":"2026-01-02T03:04:05Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecords(path); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("error %v, want one about a killed provider", err)
	}
}

func TestPeakAddsWhatRunsTogether(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for name, test := range map[string]struct {
		records []Record
		want    int64
	}{
		"one":              {[]Record{{Start: at(0), End: at(9), MaxRSS: 5}}, 5},
		"one after other":  {[]Record{{Start: at(0), End: at(1), MaxRSS: 5}, {Start: at(1), End: at(2), MaxRSS: 7}}, 7},
		"together":         {[]Record{{Start: at(0), End: at(3), MaxRSS: 5}, {Start: at(1), End: at(2), MaxRSS: 7}}, 12},
		"the most of many": {[]Record{{Start: at(0), End: at(3), MaxRSS: 5}, {Start: at(1), End: at(2), MaxRSS: 7}, {Start: at(4), End: at(5), MaxRSS: 11}}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			if got := peak(test.records); got != test.want {
				t.Errorf("peak %d, want %d", got, test.want)
			}
		})
	}
}
