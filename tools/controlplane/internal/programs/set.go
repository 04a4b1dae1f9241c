package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// Set is the programs of one cluster: their files by name.
type Set struct {
	// Version is the version of the API server.
	Version string
	// Paths maps the names of All to files.
	Paths map[string]string
}

// Supply builds or finds programs.
type Supply struct {
	Catalog *Catalog
	Builder *Builder
	// Assets, when set, is a directory whose etcd and kube-apiserver are used
	// instead of building them, and whose other programs are used where there.
	Assets string

	// assets is kept, so that what is used is said once.
	assets *Set
}

// Set returns the programs of a cluster that runs version, and builds those that
// are missing. With assets, every cluster runs the version they have.
func (s *Supply) Set(ctx context.Context, version string) (Set, error) {
	if s.Assets != "" {
		if s.assets == nil {
			set, err := s.fromAssets(ctx)
			if err != nil {
				return Set{}, err
			}
			s.assets = &set
		}
		return *s.assets, nil
	}
	release, err := s.Catalog.Find(version)
	if err != nil {
		return Set{}, err
	}
	set := Set{Version: release.Version, Paths: map[string]string{}}
	return set, s.fill(ctx, set, release)
}

// Kubectl returns the kubectl for a fleet.
func (s *Supply) Kubectl(ctx context.Context) (string, error) {
	if path, ok := s.asset(Kubectl); ok {
		return path, nil
	}
	release := s.Catalog.Kubernetes[0]
	_, err := s.Builder.Build(ctx, release, Kubectl)
	return s.Builder.Cache.Path(release, Kubectl), err
}

// fill builds what the set lacks, Kubernetes' programs from release.
func (s *Supply) fill(ctx context.Context, set Set, release Release) error {
	for _, program := range All {
		if set.Paths[program] != "" {
			continue
		}
		from := release
		switch program {
		case Etcd:
			from = s.Catalog.Etcd
		case Kwok:
			from = s.Catalog.Kwok
		}
		if _, err := s.Builder.Build(ctx, from, program); err != nil {
			return err
		}
		set.Paths[program] = s.Builder.Cache.Path(from, program)
	}
	return nil
}

func (s *Supply) fromAssets(ctx context.Context) (Set, error) {
	set := Set{Paths: map[string]string{}}
	for _, program := range []string{Etcd, APIServer} {
		path, ok := s.asset(program)
		if !ok {
			return Set{}, fmt.Errorf("KUBEBUILDER_ASSETS is %s, which has no program %s; unset it to build one", s.Assets, program)
		}
		set.Paths[program] = path
	}
	var err error
	if set.Version, err = reportedVersion(ctx, set.Paths[APIServer]); err != nil {
		return Set{}, err
	}
	closest := s.Catalog.Closest(set.Version)
	origins := map[string]string{ControllerManager: closest.Version, Scheduler: closest.Version, Kwok: s.Catalog.Kwok.Version}
	s.Builder.Say("KUBEBUILDER_ASSETS is %s: all clusters run its etcd and its kube-apiserver %s", s.Assets, set.Version)
	for _, program := range []string{ControllerManager, Scheduler, Kwok} {
		if path, ok := s.asset(program); ok {
			set.Paths[program] = path
			s.Builder.Say("  %s is from there too", program)
		} else {
			s.Builder.Say("  %s is not there; %s is built from its module", program, origins[program])
		}
	}
	return set, s.fill(ctx, set, closest)
}

func (s *Supply) asset(program string) (string, bool) {
	if s.Assets == "" {
		return "", false
	}
	path := filepath.Join(s.Assets, program)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var versionPattern = regexp.MustCompile(`v\d+\.\d+\.\d+\S*`)

func reportedVersion(ctx context.Context, path string) (string, error) {
	output, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w\n%s", path, err, indent(tail(string(output), tailLines)))
	}
	version := versionPattern.FindString(string(output))
	if version == "" {
		return "", fmt.Errorf("asking %s for its version: found none in %q", path, output)
	}
	return version, nil
}
