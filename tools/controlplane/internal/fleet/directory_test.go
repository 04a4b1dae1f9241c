package fleet

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
)

func newControl(t *testing.T, dir string) *Control {
	t.Helper()
	resolved, err := Resolve(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &Control{Dir: resolved, Log: hclog.NewNullLogger(), Say: t.Logf}
}

func TestResolveFollowsLinksOfParents(t *testing.T) {
	resolved, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(resolved, link); err != nil {
		t.Fatal(err)
	}
	got, err := Resolve(filepath.Join(link, "not", "there"))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(resolved, "not", "there"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDownWithoutAFleetChangesNothing(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "logs", "theirs")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := newControl(t, dir).Down(context.Background(), ""); !errors.Is(err, ErrNone) {
			t.Fatalf("got %v, want ErrNone", err)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("somebody else's files are gone: %v", err)
	}
	if err := newControl(t, filepath.Join(dir, "absent")).Down(context.Background(), ""); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
}

func TestDownRemovesOnlyWhatIsTheFleets(t *testing.T) {
	dir := t.TempDir()
	control := newControl(t, dir)
	one := cluster.New(control.Dir, "eu-1", "eu", "v1.36.3", "1.36", 1, cluster.Ports{API: 1}, nil)
	if err := one.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := newFleet(control.Dir, "kubectl", []*cluster.Cluster{one}).save(); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(dir, "theirs")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := control.Down(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "theirs" {
		t.Errorf("left: %v, want only theirs", entries)
	}
}

func TestDownLeavesALaterFleetAlone(t *testing.T) {
	control := newControl(t, t.TempDir())
	later := newFleet(control.Dir, "kubectl", nil)
	if err := later.save(); err != nil {
		t.Fatal(err)
	}
	if err := control.Down(context.Background(), "another"); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
	if _, err := Load(control.Dir); err != nil {
		t.Errorf("the later fleet is gone: %v", err)
	}
}

func TestUpRefusesNamesThatAreTaken(t *testing.T) {
	control := newControl(t, t.TempDir())
	if err := os.Mkdir(filepath.Join(control.Dir, "eu-1"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := control.unused(Plan{Count: 1})
	if err == nil || !strings.Contains(err.Error(), "is not of a fleet") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestUnknownClusterListsTheNames(t *testing.T) {
	fleet := newFleet("/f", "kubectl", []*cluster.Cluster{{Name: "eu-1"}, {Name: "us-1"}})
	_, err := fleet.Cluster("eu-9")
	if err == nil || !strings.Contains(err.Error(), "eu-1, us-1") {
		t.Errorf("got %v, want one that lists the names", err)
	}
}

func TestChosenPortsAreDistinctAndTakenOnesAreNamed(t *testing.T) {
	ports, err := choosePorts(context.Background(), 20, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		for _, port := range []int{p.API, p.EtcdClient, p.EtcdPeer} {
			if seen[port] || port < lowestPort || port > highestPort {
				t.Errorf("port %d is a repetition or out of range", port)
			}
			seen[port] = true
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	taken := listener.Addr().(*net.TCPAddr).Port
	_, err = choosePorts(context.Background(), 1, taken)
	if err == nil || !strings.Contains(err.Error(), "is taken by") {
		t.Errorf("got %v, want one that says who has the port", err)
	}
}
