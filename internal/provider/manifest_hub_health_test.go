package provider_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func TestAccHub_health(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	check := func(current string) string {
		return fmt.Sprintf("namespace = %q\nwait = { timeout = \"5s\", health_checks = [{ kind = \"ConfigMap\", current = %q, message = \"\\\"stage \\\" + object.data.stage\" }] }", ns, current)
	}
	conf := func(stage string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {stage: %q}\n", stage)
	}
	s.set(check(`object.data.stage == "done"`), conf("done"))
	s.Apply()
	s.PlanEmpty()

	t.Log("a check judges what the agent reports of the object as it is now")
	s.set(check(`object.data.stage == "done"`), conf("half"))
	contains(t, s.ApplyFails(), "edge", "ConfigMap "+ns+"/conf: not ready after 5s: stage half")
	s.set(check(`object.data.stage == "done"`), conf("done"))
	s.Apply()
	s.PlanEmpty()

	t.Log("somebody breaks it on the site, and feedback tells")
	patch(t, "us-1", configmaps, ns, "conf", `{"data":{"stage":"broken"}}`)
	fleettest.Eventually(t, "the hub knows", func() bool {
		for _, m := range s.work(0).Status.ResourceStatus.Manifests {
			for _, v := range m.StatusFeedbacks.Values {
				if v.Value.String != nil && *v.Value.String == "broken" {
					return true
				}
			}
		}
		return false
	})
	contains(t, s.Plan(), "correct ConfigMap "+ns+"/conf on edge: data.stage broken → done")
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "stage"); got != "done" {
		t.Errorf("the stage is %v", got)
	}
	s.Destroy()
}

func TestAccHub_secrets(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	const value = "c2VjcmV0LXZhbHVl"
	secret := func(version int, data string) string {
		return fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\nmanifests_wo = [<<-EOT\n  apiVersion: v1\n  kind: Secret\n  metadata: {name: token}\n  data: {k: %s}\nEOT\n]\nmanifests_wo_version = %d", ns, data, version)
	}
	s.set(secret(1, value), configMap("conf", "1"))
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", secrets, ns, "token").Object, "data", "k"); got != value {
		t.Errorf("the secret is %v", got)
	}
	t.Log("another one is sent by its version, and stands nowhere")
	s.set(secret(2, "YW5vdGhlcg=="), configMap("conf", "1"))
	out := s.Plan() + s.Apply()
	text, err := os.ReadFile(s.Path("terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{value, "secret-value", "YW5vdGhlcg==", "another"} {
		if strings.Contains(out+string(text), hidden) {
			t.Errorf("%q stands in the output or the state", hidden)
		}
	}
	s.PlanEmpty()
	s.Destroy()
}

func TestAccHub_executor(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	text := read(t, s.Path("fleet.tf"))
	s.Write("fleet.tf", strings.Replace(text, `hub = "hub",`, fmt.Sprintf(`hub = "hub", executor = "%s/deployer",`, ns), 1))
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"20s\" }", ns), configMap("conf", "1"))
	if s.agent.Real {
		// Nobody has allowed the account anything.
		contains(t, s.ApplyFails(), "edge", "not allowed", "deployer")
		return
	}
	s.Apply()
	account := s.work(0).Spec.Executor.Subject.ServiceAccount
	if account == nil || account.Namespace != ns || account.Name != "deployer" {
		t.Errorf("the executor is %+v", account)
	}
	s.Destroy()
}
