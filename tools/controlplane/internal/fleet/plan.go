package fleet

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
)

// Plan says which clusters to start.
type Plan struct {
	// Names are the clusters' names; when empty, Count names are made up.
	Names []string
	Count int
	// Prefix is put before every name.
	Prefix string
	// Versions are the Kubernetes versions in the clusters' order; the last one
	// goes on for the rest. When empty, the third cluster runs an older version.
	Versions []string
	// Nodes is the number of nodes of each cluster.
	Nodes int
	// Port is the first of the API servers' ports, or 0 for free ones.
	Port int
}

// member is one cluster of a plan.
type member struct {
	name, region, version string
}

// maxNodes keeps the nodes' addresses within their network.
const maxNodes = 5000

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	ordinalSuffix = regexp.MustCompile(`-\d+$`)
)

// reserved are names this program uses in a fleet's directory.
var reserved = []string{cluster.LogDirName, "kubeconfig"}

// Check finds what is wrong with a plan before anything is built for it.
func (p Plan) Check() error {
	if p.Nodes < 0 || p.Nodes > maxNodes {
		return fmt.Errorf("--nodes is %d, want 0 to %d", p.Nodes, maxNodes)
	}
	if len(p.Names) == 0 && p.Count < 1 {
		return fmt.Errorf("--clusters is %d, want at least 1", p.Count)
	}
	if p.Port != 0 && (p.Port < 1024 || p.Port+p.count() > 65536) {
		return fmt.Errorf("--port is %d, want 0 or a port from 1024 such that %d ports follow", p.Port, p.count())
	}
	if len(p.Versions) > p.count() {
		return fmt.Errorf("--versions lists %d versions for %d clusters", len(p.Versions), p.count())
	}
	var errs []error
	seen := map[string]bool{}
	for _, m := range p.members("", "") {
		switch {
		case !namePattern.MatchString(m.name):
			errs = append(errs, fmt.Errorf("%q cannot be a cluster's name; use lower case letters, digits and dashes, at most 40", m.name))
		case slices.Contains(reserved, m.name):
			errs = append(errs, fmt.Errorf("%q cannot be a cluster's name; it is the name of a file of the fleet", m.name))
		case seen[m.name]:
			errs = append(errs, fmt.Errorf("the name %q is given twice", m.name))
		}
		seen[m.name] = true
	}
	return errors.Join(errs...)
}

func (p Plan) count() int {
	if len(p.Names) > 0 {
		return len(p.Names)
	}
	return p.Count
}

// oldIndex is the cluster that runs an older version unless told otherwise: the
// first one of the second region.
const oldIndex = 2

func (p Plan) members(newest, older string) []member {
	members := make([]member, p.count())
	for i := range members {
		name := defaultName(i)
		if len(p.Names) > 0 {
			name = p.Names[i]
		}
		version := newest
		switch {
		case len(p.Versions) > 0:
			version = p.Versions[min(i, len(p.Versions)-1)]
		case i == oldIndex:
			version = older
		}
		members[i] = member{name: p.Prefix + name, region: region(name), version: version}
	}
	return members
}

// defaultName counts eu-1, eu-2, us-1, us-2, ap-1, ap-2, eu-3 and so on.
func defaultName(i int) string {
	regions := []string{"eu", "us", "ap"}
	const each = 2
	round := i / (each * len(regions))
	return fmt.Sprintf("%s-%d", regions[i/each%len(regions)], round*each+i%each+1)
}

func region(name string) string {
	if stem := ordinalSuffix.ReplaceAllString(name, ""); strings.Trim(stem, "-") != "" {
		return stem
	}
	return name
}
