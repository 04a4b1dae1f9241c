package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/apiserver"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/replay"
)

// notServed are groups of a real API server that simulated clusters do without.
var notServed = []string{"apiregistration.k8s.io", "authentication.k8s.io"}

// TestAccDiscovery compares the resources that are served, and what is said of them.
func TestAccDiscovery(t *testing.T) {
	target := actual(t)
	api, err := apiserver.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api", "/apis"} {
		want, got := resources(t, target, path), resources(t, simulated(t, api), path)
		maps.DeleteFunc(want, func(name string, _ apidiscoveryv2.APIResourceDiscovery) bool {
			group, _, _ := strings.Cut(name, "/")
			custom := strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io")
			return custom || slices.Contains(notServed, group) || name == "/v1/componentstatuses" || name == "/v1/bindings"
		})
		for name, resource := range want {
			// What acts on something that runs, such as pods/exec, is left out.
			if has, ok := got[name]; ok {
				resource.Subresources = slices.DeleteFunc(resource.Subresources, func(s apidiscoveryv2.APISubresourceDiscovery) bool {
					return !slices.ContainsFunc(has.Subresources, func(h apidiscoveryv2.APISubresourceDiscovery) bool { return h.Subresource == s.Subresource })
				})
				want[name] = resource
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, real -, simulated +:\n%s", path, diff)
		}
	}
}

func resources(t *testing.T, target replay.Target, path string) map[string]apidiscoveryv2.APIResourceDiscovery {
	t.Helper()
	answer, err := target.Send(t.Context(), replay.Exchange{Method: http.MethodGet, Path: path, Accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"})
	if err != nil {
		t.Fatal(err)
	}
	var list apidiscoveryv2.APIGroupDiscoveryList
	if err := json.Unmarshal([]byte(answer.Answer), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]apidiscoveryv2.APIResourceDiscovery{}
	for _, group := range list.Items {
		for _, v := range group.Versions {
			for _, resource := range v.Resources {
				if len(resource.Subresources) == 0 {
					resource.Subresources = []apidiscoveryv2.APISubresourceDiscovery{}
				}
				found[group.Name+"/"+v.Version+"/"+resource.Resource] = resource
			}
		}
	}
	return found
}

// TestAccCounters has the same requests counted by both, under the same labels.
func TestAccCounters(t *testing.T) {
	target := actual(t)
	api, err := apiserver.New()
	if err != nil {
		t.Fatal(err)
	}
	sim := simulated(t, api)
	for name, file := range files(t, recordings, ".json") {
		if strings.HasPrefix(name, "provider-") {
			continue
		}
		recording, err := replay.Load(file, newName())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []replay.Target{target, sim} {
			if _, err := replay.Replay(t.Context(), one, recording); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := series(t, target)
	for _, line := range series(t, sim) {
		// A group of its own has other names each time; and what no handler takes, the real API server does not count.
		if !strings.Contains(line, "example.com") && !strings.Contains(line, `resource="nopes"`) && !strings.Contains(line, `code="415"`) && !slices.Contains(want, line) {
			t.Errorf("the real API server counts nothing as\n%s", line)
		}
	}
}

// series are the labels under which requests were counted.
func series(t *testing.T, target replay.Target) []string {
	t.Helper()
	answer, err := target.Send(t.Context(), replay.Exchange{Method: http.MethodGet, Path: "/metrics", Accept: "text/plain"})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(answer.Answer)) {
		if strings.HasPrefix(line, "apiserver_request_total{") {
			found = append(found, line[:strings.LastIndex(line, " ")])
		}
	}
	if len(found) == 0 {
		t.Fatal("nothing was counted")
	}
	return found
}

// TestVersion keeps the version that clusters say they run the one that they are made of.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + apiserver.Version; !strings.Contains(string(text), want+"\n") {
		t.Errorf("go.mod does not require %s", want)
	}
	if want := "v1." + apiserver.Minor + "."; !strings.HasPrefix(apiserver.Version, want) {
		t.Errorf("Version is %s, want it to begin with %s", apiserver.Version, want)
	}
}
