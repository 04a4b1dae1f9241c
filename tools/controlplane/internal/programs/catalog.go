// Package programs knows the programs a fleet is made of, builds them from Go
// modules and keeps them in a cache.
package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// The names of the programs, which are also their file names.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kwok              = "kwok"
	Kubectl           = "kubectl"
)

// All lists the programs that run as long as a cluster does.
var All = []string{Etcd, APIServer, ControllerManager, Scheduler, Kwok}

// Release is one module from which programs are built, at one version.
type Release struct {
	// Name is the name of the directory that holds the module.
	Name string
	// Dir is that directory.
	Dir string
	// Module is the path of the Go module the programs come from.
	Module string
	// Version is the version of that module, such as v1.36.3.
	Version string
	// Packages maps the program names to the packages to build.
	Packages map[string]string
	// Key names this release's directory in the cache.
	Key string
}

// Minor returns the minor version of a Kubernetes version: 1.36 of v1.36.3.
func Minor(version string) string {
	return strings.TrimPrefix(semver.MajorMinor(version), "v")
}

// Catalog is everything that can be built.
type Catalog struct {
	// Kubernetes is ordered from the newest version to the oldest.
	Kubernetes []Release
	// Etcd serves all of them.
	Etcd Release
	// Kwok serves all of them.
	Kwok Release
}

// LoadCatalog reads the nested modules below dir.
func LoadCatalog(dir string) (*Catalog, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the modules to build: %w", err)
	}
	catalog := &Catalog{}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		release, err := loadRelease(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		switch {
		case release.Packages[Etcd] != "":
			catalog.Etcd = release
		case release.Packages[Kwok] != "":
			catalog.Kwok = release
		case release.Packages[APIServer] != "":
			catalog.Kubernetes = append(catalog.Kubernetes, release)
		default:
			return nil, fmt.Errorf("%s has no tool directive for a program of a cluster", filepath.Join(release.Dir, "go.mod"))
		}
	}
	if len(catalog.Kubernetes) == 0 || catalog.Etcd.Name == "" || catalog.Kwok.Name == "" {
		return nil, fmt.Errorf("%s needs modules for etcd, kwok and at least one Kubernetes version", dir)
	}
	slices.SortFunc(catalog.Kubernetes, func(a, b Release) int { return semver.Compare(b.Version, a.Version) })
	return catalog, nil
}

func loadRelease(dir string) (Release, error) {
	path := filepath.Join(dir, "go.mod")
	content, err := os.ReadFile(path)
	if err != nil {
		return Release{}, fmt.Errorf("reading a module to build: %w", err)
	}
	mod, err := modfile.Parse(path, content, nil)
	if err != nil {
		return Release{}, fmt.Errorf("reading a module to build: %w", err)
	}
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return Release{}, fmt.Errorf("reading a module to build: %w", err)
	}
	release := Release{Name: filepath.Base(dir), Dir: dir, Packages: map[string]string{}}
	for _, tool := range mod.Tool {
		release.Packages[programName(tool.Path)] = tool.Path
		for _, require := range mod.Require {
			if strings.HasPrefix(tool.Path+"/", require.Mod.Path+"/") && len(require.Mod.Path) > len(release.Module) {
				release.Module, release.Version = require.Mod.Path, require.Mod.Version
			}
		}
	}
	if release.Version == "" {
		return Release{}, fmt.Errorf("%s requires no module that holds its tools; run `go mod tidy` there", path)
	}
	release.Key = cacheKey(release, content, sums)
	return release, nil
}

// programName is the last element of the package's path, save for etcd, whose
// main package is the root of its server module.
func programName(pkg string) string {
	if strings.HasPrefix(pkg, "go.etcd.io/etcd/server/") {
		return Etcd
	}
	return pkg[strings.LastIndex(pkg, "/")+1:]
}

// Find returns the release of Kubernetes that version names: a full version, or
// a minor version such as 1.36 or v1.36.
func (c *Catalog) Find(version string) (Release, error) {
	wanted := "v" + strings.TrimPrefix(version, "v")
	var known []string
	for _, release := range c.Kubernetes {
		if release.Version == wanted || semver.MajorMinor(release.Version) == wanted {
			return release, nil
		}
		known = append(known, release.Version)
	}
	return Release{}, fmt.Errorf("no Kubernetes %s to build; there is %s", version, strings.Join(known, ", "))
}

// Closest returns the release whose minor version is nearest to that of version.
func (c *Catalog) Closest(version string) Release {
	return slices.MinFunc(c.Kubernetes, func(a, b Release) int {
		return minorDistance(a.Version, version) - minorDistance(b.Version, version)
	})
}

func minorDistance(a, b string) int {
	return max(minorNumber(a), minorNumber(b)) - min(minorNumber(a), minorNumber(b))
}

func minorNumber(version string) int {
	var major, minor int
	// A version that does not parse is far from every other.
	if _, err := fmt.Sscanf(semver.MajorMinor(version), "v%d.%d", &major, &minor); err != nil {
		return 0
	}
	return 1000*major + minor
}
