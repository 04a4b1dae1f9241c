package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// compare writes a fleet_compare over all clusters.
func (s *setup) compare(arguments string) {
	s.Write("compare.tf", fmt.Sprintf("data \"fleet_compare\" \"it\" {\n  clusters = fleet_cluster.this\n%s\n}\n", arguments))
}

// TestAccCompare_differences finds what is different on one cluster, a tie, and what a Secret gives away.
func TestAccCompare_differences(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxy := s.through("eu-1")
	s.fleet("")
	service := `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"NodePort","selector":{"app":"web"},"ports":[{"port":80}]}}`
	secret := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"login"},"stringData":{"same":"unchangedvalue","password":%q}}`
	for name, mode := range map[string]string{"eu-1": "fast", "eu-2": "fast", "us-1": "slow"} {
		put(t, name, configmaps, ns, fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web"},"data":{"mode":%q,"own":%q}}`, mode, name))
		put(t, name, services, ns, service)
		put(t, name, secrets, ns, fmt.Sprintf(secret, "hunter2"+mode))
	}
	put(t, "eu-2", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"eu-2-only"}}`)
	s.compare(fmt.Sprintf("  objects = [\"ConfigMap %[1]s/web\", \"Service %[1]s/web\"]\n  targets = [{ kind = \"Secret\", namespace = %[1]q }, { kind = \"ConfigMap\", namespace = %[1]q, name = \"eu-2-*\" }]", ns))
	s.Apply()
	proxy.Forget()
	s.Apply()
	reads := 0
	for _, r := range proxy.Requests() {
		if strings.Contains(r.Path, "/namespaces/"+ns+"/") {
			reads++
		}
	}
	if reads != 3 {
		t.Errorf("comparing three kinds took %d requests:\n%s", reads, requests(proxy))
	}
	got := s.Resource("data.fleet_compare.it")
	report := fmt.Sprint(got["report"])
	for _, want := range []string{
		"us-1  ConfigMap " + ns + "/web: data.mode is slow, most have fast",
		"eu-2  ConfigMap " + ns + "/eu-2-only: has it, most lack it",
		"eu-1  ConfigMap " + ns + "/web: data.own is eu-1, and there is no majority",
		"us-1  Secret " + ns + "/login: data.password is ",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	for _, not := range []string{"Service", "data.same", "uid", "resourceVersion", "clusterIP", "nodePort"} {
		if strings.Contains(report, not) {
			t.Errorf("the report has %q:\n%s", not, report)
		}
	}
	if got["same"] != false || len(got["ties"].([]any)) != 1 {
		t.Errorf("same is %v, ties are %v", got["same"], got["ties"])
	}
	state := read(t, s.Path("terraform.tfstate"))
	for _, secret := range []string{"hunter2", "aHVudGVyM", "unchangedvalue"} {
		if strings.Contains(state, secret) {
			t.Errorf("%s is in the state", secret)
		}
	}
	before := report
	s.Apply()
	after := fmt.Sprint(s.Resource("data.fleet_compare.it")["report"])
	if before == after || strings.ReplaceAll(before, "login", "") == "" {
		t.Error("the digests of Secrets have the same salt in two runs")
	}

	s.compare(fmt.Sprintf("  objects = [\"ConfigMap %[1]s/web\", \"Service %[1]s/web\"]\n  ignore_paths = [\"data.mode\", \"data.own\"]", ns))
	s.Apply()
	if got := s.Resource("data.fleet_compare.it"); got["same"] != true || len(got["report"].([]any)) != 0 {
		t.Errorf("with the fields ignored: same is %v, report %v", got["same"], got["report"])
	}
	s.Destroy()
}

// TestAccCompare_unreachable compares the clusters that answer, and an API that only some of them serve.
func TestAccCompare_unreachable(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxy := s.through("eu-2")
	s.fleet("")
	for _, name := range []string{"eu-1", "eu-2", "us-1"} {
		put(t, name, configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web"},"data":{"a":"b"}}`)
	}
	s.compare(fmt.Sprintf("  objects = [\"ConfigMap %s/web\"]\n  targets = [{ kind = \"MutatingAdmissionPolicy\", name = %q }]", ns, ns))
	s.Apply()
	if got := s.Resource("data.fleet_compare.it"); got["same"] != true {
		t.Errorf("before: %v", got)
	}
	proxy.Refuse()
	contains(t, s.Apply(), "1 cluster could not be compared", "eu-2: ", "The comparison is among the others.")
	got := s.Resource("data.fleet_compare.it")
	if got["same"] != false || dig(got, "unreachable", "eu-2") == nil || len(got["differences"].([]any)) != 0 {
		t.Errorf("with eu-2 away: %v", got)
	}
	proxy.Listen(t)
	s.Destroy()
}

// TestAccCompare_badInput says what is wrong with the question.
func TestAccCompare_badInput(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.fleet("")
	for name, test := range map[string]struct{ arguments, says string }{
		"nothing":              {"", "Nothing to compare"},
		"no key":               {`objects = ["web/web"]`, "Invalid object key"},
		"no kind":              {`targets = [{ kind = "" }]`, "has to say which kind is meant"},
		"a bad path":           {"objects = [\"Namespace default\"]\nignore_paths = [\"a..b\"]", "Invalid field path"},
		"no namespace":         {`objects = ["ConfigMap web"]`, `ConfigMap is namespaced; write "ConfigMap NAMESPACE/web"`},
		"a namespace too many": {`objects = ["Namespace a/b"]`, "Namespace is cluster-scoped"},
		"a kind of two groups": {`targets = [{ kind = "Event", namespace = "default" }]`, "in several groups"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.compare(test.arguments)
			contains(t, s.MustFail("apply", "-auto-approve", "-no-color"), test.says)
		})
	}
	s.compare(`objects = ["Namespace kube-system"]`)
	s.Destroy()
}
