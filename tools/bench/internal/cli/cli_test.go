package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShapes(t *testing.T) {
	var s shapes
	if err := s.Set("4x21,8x50"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shapes{{4, 21}, {8, 50}}, s, cmp.AllowUnexported(shape{})); diff != "" || s.String() != "4x21,8x50" {
		t.Errorf("shapes (-want +got):\n%s, as text %s", diff, &s)
	}
	for _, wrong := range []string{"", "4", "x", "0x5", "4x1", "4x21,", "axb", "4×21"} {
		if err := s.Set(wrong); err == nil || !strings.Contains(err.Error(), "CLUSTERSxOBJECTS") {
			t.Errorf("%q: error %v, want one that says what a shape is", wrong, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	var n numbers
	if err := n.Set("10,100"); err != nil || n.String() != "10,100" {
		t.Errorf("%s (%v)", &n, err)
	}
	for _, wrong := range []string{"", "0", "ten", "1,,2"} {
		if err := n.Set(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestPeers(t *testing.T) {
	program := filepath.Join(t.TempDir(), "terraform-provider-kubectl")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	var p peerFlags
	if err := p.Set("kubectl=" + program); err != nil || len(p) != 1 || p[0].provider.Source != "alekc/kubectl" {
		t.Errorf("peers %+v (%v)", p, err)
	}
	for _, wrong := range []string{"kubectl", "helm=" + program, "kubectl=" + program + "x", "kubectl=" + filepath.Dir(program)} {
		if err := p.Set(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	t.Setenv("FLEET_TERRAFORM", "/bin/true")
	for want, args := range map[string][]string{
		"no command":              nil,
		`no command "walk"`:       {"walk"},
		`unexpected argument "x"`: {"run", "x"},
		"-rounds is 0":            {"run", "-rounds", "0"},
		"CLUSTERSxOBJECTS":        {"run", "-shape", "4"},
		"one shape":               {"profile", "-shape", "4x21,8x50"},
		"-objects is 2":           {"scale", "-simulated", "x", "-objects", "2"},
		"-down is 10,101":         {"scale", "-simulated", "x", "-down", "101,10"},
	} {
		var out, complaints strings.Builder
		if code := Run(args, strings.NewReader(""), &out, &complaints); code != exitUsage || !strings.Contains(complaints.String(), want) {
			t.Errorf("%v: exit code %d and %q, want %d and %q", args, code, complaints.String(), exitUsage, want)
		}
	}
	var out, complaints strings.Builder
	if code := Run([]string{"help"}, strings.NewReader(""), &out, &complaints); code != exitOK || !strings.Contains(out.String(), "bench scale") {
		t.Errorf("help: exit code %d, %s", code, &out)
	}
}
