package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// without takes a cluster out of the configuration and leaves its connection there.
func (s *setup) without(cluster string) {
	s.t.Helper()
	text := read(s.t, s.Path("fleet.tf"))
	less := strings.Replace(text, fmt.Sprintf(", %q])", cluster), "])", 1)
	if less == text {
		s.t.Fatalf("%s is not the last of the clusters in:\n%s", cluster, text)
	}
	s.Write("fleet.tf", less)
}

// TestAccManifest_abandon loses a cluster with its infrastructure while the apply that removes it is interrupted: the set
// owes it a prune, and nobody will ever answer.
func TestAccManifest_abandon(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, configMap("conf", "v"), configMap("more", "v"))
	s.Apply()
	s.set(arguments+"\nabandon = [\"us-1\"]", configMap("conf", "v"), configMap("more", "v"))
	contains(t, s.PlanFails(), "An abandoned cluster is still in clusters", "us-1: abandon forgets what is owed to a cluster that left clusters")
	s.set(arguments, configMap("conf", "v"), configMap("more", "v"))

	t.Log("the fleet_cluster goes, and the cluster itself, before the set is updated")
	s.without("us-1")
	s.Apply("-target=fleet_cluster.this")
	p.Refuse()
	contains(t, s.Plan(), "1 cluster could not be read", "delete 2 objects on us-1")
	contains(t, s.ApplyFails(), "us-1", "does not answer", "name it in abandon")
	contains(t, s.MustFail("destroy", "-auto-approve", "-no-color", "-target=fleet_manifest.set"), "us-1", "does not answer",
		"Where us-1 will never answer again, say so first: remove it from clusters, name it in abandon, apply, and then destroy")

	t.Log("then its credentials leave")
	delete(s.kubeconfigs, "us-1")
	s.fleet("")
	contains(t, s.PlanFails(), "1 cluster could not be read", "The set cannot be applied to 1 cluster", "us-1", "keep it for one more apply", "name it in abandon")
	contains(t, s.MustFail("plan", "-destroy", "-refresh=false", "-no-color"), "The set could not be removed from 1 of", "us-1", "Nothing was removed yet", "name it in abandon")

	s.set(arguments+"\nabandon = [\"us-1\"]", configMap("conf", "v"), configMap("more", "v"))
	p.Listen(t)
	p.Forget()
	contains(t, s.Apply(), "forget 2 objects on us-1")
	s.PlanEmpty()
	if n := len(p.Requests()); n > 0 {
		t.Errorf("an abandoned cluster got %d requests", n)
	}
	if dig(s.manifest(), "objects", "us-1") != nil || dig(s.manifest(), "objects", "eu-1") == nil {
		t.Errorf("the state has %v", dig(s.manifest(), "objects"))
	}
	s.Destroy()
	if live(t, "us-1", configmaps, ns, "conf") == nil {
		t.Error("what was on the abandoned cluster should not have been touched")
	}
	if live(t, "eu-1", configmaps, ns, "conf") != nil {
		t.Error("conf is left behind on eu-1")
	}
	remove(t, "us-1", secrets, "fleet-system", "fleet-"+s.name)
}
