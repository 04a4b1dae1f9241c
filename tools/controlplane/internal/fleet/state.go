// Package fleet brings several clusters up and down together and keeps account
// of them in a directory.
package fleet

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
)

// Fleet is what fleet.json holds.
type Fleet struct {
	// ID tells this fleet from a later one in the same directory.
	ID string `json:"id"`
	// State is starting until every cluster has been ready.
	State      cluster.State      `json:"state"`
	Dir        string             `json:"dir"`
	Kubeconfig string             `json:"kubeconfig"`
	Kubectl    string             `json:"kubectl"`
	Clusters   []*cluster.Cluster `json:"clusters"`

	mu sync.Mutex
}

// ErrNone says that a directory holds no fleet.
var ErrNone = errors.New("no fleet")

func newFleet(dir, kubectl string, clusters []*cluster.Cluster) *Fleet {
	return &Fleet{
		ID:         rand.Text(),
		State:      cluster.Starting,
		Dir:        dir,
		Kubeconfig: filepath.Join(dir, "kubeconfig"),
		Kubectl:    kubectl,
		Clusters:   clusters,
	}
}

// Load reads the fleet of a directory. Without one, the error is ErrNone.
func Load(dir string) (*Fleet, error) {
	path := statePath(dir)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s; start one with `controlplane up`", ErrNone, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the fleet: %w", err)
	}
	fleet := &Fleet{}
	if err := json.Unmarshal(content, fleet); err != nil {
		return nil, fmt.Errorf("%s is not what this program wrote: %w; end the fleet's programs by hand and remove %s", path, err, dir)
	}
	return fleet, nil
}

// Cluster returns the cluster of a name.
func (f *Fleet) Cluster(name string) (*cluster.Cluster, error) {
	for _, c := range f.Clusters {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no cluster %q in %s; there is %s", name, f.Dir, strings.Join(f.names(), ", "))
}

func (f *Fleet) names() []string {
	names := make([]string, len(f.Clusters))
	for i, c := range f.Clusters {
		names[i] = c.Name
	}
	return names
}

// record notes a program that has just been started.
func (f *Fleet) record(c *cluster.Cluster, program string, pid int) error {
	return f.update(func() { c.PIDs[program] = pid })
}

// update changes the fleet and saves it.
func (f *Fleet) update(change func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	return f.save()
}

// save writes fleet.json as a whole or not at all: down relies on it also after
// this process was killed.
func (f *Fleet) save() error {
	content, err := f.JSON()
	if err != nil {
		return err
	}
	return writeWhole(statePath(f.Dir), content)
}

// JSON returns the fleet as fleet.json has it.
func (f *Fleet) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the fleet: %w", err)
	}
	return append(content, '\n'), nil
}

func statePath(dir string) string { return filepath.Join(dir, "fleet.json") }

func writeWhole(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), removeIfThere(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a file: %w", err)
	}
	return nil
}
