package programs

import (
	"strings"
	"testing"
)

func realCatalog(t *testing.T) *Catalog {
	t.Helper()
	dir, err := SourceDir()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := LoadCatalog(dir)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

func TestCatalogHasWhatAFleetNeeds(t *testing.T) {
	catalog := realCatalog(t)
	if len(catalog.Kubernetes) < 2 {
		t.Fatalf("%d Kubernetes versions, want at least 2", len(catalog.Kubernetes))
	}
	for i, release := range catalog.Kubernetes {
		for _, program := range []string{APIServer, ControllerManager, Scheduler} {
			if release.Packages[program] == "" {
				t.Errorf("%s does not build %s", release.Name, program)
			}
		}
		if !strings.HasPrefix(release.Version, "v"+Minor(release.Version)+".") || release.Module != "k8s.io/kubernetes" {
			t.Errorf("%s is %s %s", release.Name, release.Module, release.Version)
		}
		if release.Name != "k8s-"+Minor(release.Version) {
			t.Errorf("directory %s holds version %s", release.Name, release.Version)
		}
		if i > 0 && minorNumber(release.Version) >= minorNumber(catalog.Kubernetes[i-1].Version) {
			t.Errorf("%s is not older than the one before it", release.Version)
		}
	}
	if catalog.Kubernetes[0].Packages[Kubectl] == "" {
		t.Error("the newest Kubernetes does not build kubectl")
	}
	if !strings.HasPrefix(catalog.Etcd.Version, "v3.") || catalog.Kwok.Version == "" {
		t.Errorf("etcd %q, kwok %q", catalog.Etcd.Version, catalog.Kwok.Version)
	}
}

func TestFindTakesFullAndMinorVersions(t *testing.T) {
	catalog := &Catalog{Kubernetes: []Release{{Version: "v1.36.3"}, {Version: "v1.34.4"}}}
	for version, want := range map[string]string{
		"1.36": "v1.36.3", "v1.36": "v1.36.3", "v1.34.4": "v1.34.4", "1.34.4": "v1.34.4",
	} {
		release, err := catalog.Find(version)
		if err != nil || release.Version != want {
			t.Errorf("%s: got %s, %v, want %s", version, release.Version, err, want)
		}
	}
	for _, version := range []string{"1.35", "1.36.2", "newest", ""} {
		if _, err := catalog.Find(version); err == nil || !strings.Contains(err.Error(), "v1.36.3, v1.34.4") {
			t.Errorf("%q: got %v, want one that lists the versions", version, err)
		}
	}
}

func TestClosest(t *testing.T) {
	catalog := &Catalog{Kubernetes: []Release{{Version: "v1.36.3"}, {Version: "v1.34.4"}}}
	for version, want := range map[string]string{
		"v1.37.0": "v1.36.3", "v1.36.0": "v1.36.3", "v1.35.1": "v1.36.3", "v1.34.0": "v1.34.4", "v1.30.9": "v1.34.4",
	} {
		if got := catalog.Closest(version).Version; got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
}

func TestCacheKeyChangesWithTheModule(t *testing.T) {
	release := Release{Name: "k8s-1.36", Version: "v1.36.3"}
	base := cacheKey(release, []byte("a"), []byte("b"))
	if !strings.HasPrefix(base, "k8s-v1.36.3-") {
		t.Errorf("key is %s", base)
	}
	if base == cacheKey(release, []byte("ab"), nil) || base == cacheKey(release, []byte("a"), []byte("c")) {
		t.Error("different modules have the same key")
	}
}
