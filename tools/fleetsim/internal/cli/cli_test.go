package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestExitCodesAndWords(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"-h", exitOK, "fleetsim up"},
		{"up -h", exitOK, "--error-rate"},
		{"", exitUsage, "Usage:"},
		{"fly", exitUsage, `no command "fly"`},
		{"up --wings", exitUsage, "unknown flag: --wings"},
		{"up there", exitUsage, `unexpected argument "there"`},
		{"up --clusters 0", exitUsage, "--clusters is 0"},
		{"up --clusters 2 --down 3 --dir " + dir, exitFailed, "at most all 2 clusters"},
		{"up --down-mode sleep --dir " + dir, exitFailed, `"sleep"`},
		{"up --error-rate 2 --dir " + dir, exitFailed, "want 0 to 1"},
		{"set --dir " + dir, exitFailed, "no simulated fleet in " + dir},
		{"up --dir /dev/null/x", exitFailed, "/dev/null"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := Run(strings.Fields(test.args), &out, &errOut)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if text := out.String() + errOut.String(); !strings.Contains(text, test.want) {
				t.Errorf("output lacks %q:\n%s", test.want, text)
			}
		})
	}
}
