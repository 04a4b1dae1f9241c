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
		{"-h", exitOK, "controlplane up"},
		{"up -h", exitOK, "--attach"},
		{"", exitUsage, "Usage:"},
		{"fly", exitUsage, `no command "fly"`},
		{"up --wings", exitUsage, "unknown flag: --wings"},
		{"up there", exitUsage, `unexpected argument "there"`},
		{"up --clusters 0", exitUsage, "--clusters is 0"},
		{"up --clusters 2 --names a,b", exitUsage, "exclude each other"},
		{"stop", exitUsage, "want the name of one cluster"},
		{"down --log-level loud", exitUsage, `--log-level is "loud"`},
		{"stop eu-1 --dir " + dir, exitFailed, "no fleet in " + dir},
		{"status --dir " + dir, exitFailed, "no fleet in " + dir},
		{"down --dir " + dir, exitOK, "nothing to do"},
		{"up --dir /dev/null/x", exitFailed, "choose another"},
		{"up --versions 1.2 --dir " + dir, exitFailed, "no Kubernetes 1.2 to build; there is v1."},
	} {
		t.Run(test.args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := Run(strings.Fields(test.args), strings.NewReader(""), &out, &errOut)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if text := out.String() + errOut.String(); !strings.Contains(text, test.want) {
				t.Errorf("output lacks %q:\n%s", test.want, text)
			}
		})
	}
}
