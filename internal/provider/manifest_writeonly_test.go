package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// nowhere looks for texts where they must not be.
func (s *setup) nowhere(where map[string]string, secrets ...string) {
	s.t.Helper()
	for place, text := range where {
		for _, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					s.t.Errorf("%q is in %s", form, place)
				}
			}
		}
	}
}

// TestAccManifest_writeOnly keeps Secrets out of everything that Terraform writes, and still finds their drift.
func TestAccManifest_writeOnly(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		s.fleet("")
		s.Write("secret.yaml", `apiVersion: v1
kind: Secret
metadata: {name: db}
stringData:
  password: "{{ .values.password }}"
  url: "postgres://app:{{ .values.password }}@db"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {token: "{{ .values.token }}", mode: "plain-but-hidden"}
`)
		passwords := map[string]string{"eu-1": "first-password", "eu-2": "second-password", "us-1": "third-password"}
		set := func(version int, more string) {
			values := map[string]map[string]string{}
			for name, p := range passwords {
				values[name] = map[string]string{"password": p, "token": "common-token"}
			}
			text, err := json.Marshal(values)
			if err != nil {
				t.Fatal(err)
			}
			// As from a vault: what stands in the configuration itself would stand in saved plans, too.
			s.Env[0] = "TF_VAR_values=" + string(text)
			s.Write("values.tf", "variable \"values\" {\n  type      = map(map(string))\n  ephemeral = true\n}\n")
			s.set(fmt.Sprintf("namespace = %q\nmanifests_wo = [file(\"secret.yaml\")]\nmanifests_wo_version = 1\nvalues_wo = var.values\nvalues_wo_version = %d\n%s",
				ns, version, more), configMap("plain", "v"))
		}
		s.Env = []string{""}
		all := []string{"first-password", "second-password", "third-password", "fourth-password", "common-token", "plain-but-hidden", "changed-by-hand"}
		log := s.Path("trace.log")
		s.Env = append(s.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+log)
		set(1, "")
		out := s.Plan("-out=" + s.Path("plan.bin"))
		where := map[string]string{"the plan": out, "the plan as JSON": s.Must("show", "-json", s.Path("plan.bin"))}
		contains(t, out, "create 3 objects on eu-1, eu-2, us-1")
		where["the apply"] = s.Apply()
		where["the second plan"] = s.PlanEmpty()
		for name, p := range passwords {
			if got := fmt.Sprint(value(t, name, secrets, ns, "db", "data", "password")); got != base64.StdEncoding.EncodeToString([]byte(p)) {
				t.Errorf("%s has the password %s", name, got)
			}
		}

		t.Log("drift is found, named without its values, and corrected")
		patch(t, "eu-2", secrets, ns, "db", `{"stringData":{"password":"changed-by-hand"}}`)
		patch(t, "eu-2", configmaps, ns, "settings", `{"data":{"token":"changed-by-hand"}}`)
		out = s.Plan()
		contains(t, out, "correct Secret "+ns+"/db on eu-2", "Drift on 1 of 3 clusters", "data.password is \"(sensitive", "by kubectl (Update)")
		where["the plan with drift"] = out
		where["the state after drift"] = read(t, s.Path("terraform.tfstate"))
		where["the correction"] = s.Apply()
		s.PlanEmpty()
		if got := value(t, "eu-2", configmaps, ns, "settings", "data", "token"); got != "common-token" {
			t.Errorf("the token is %v", got)
		}

		t.Log("new values alone change nothing, a new version sends them")
		passwords["us-1"] = "fourth-password"
		set(1, "")
		s.PlanEmpty()
		set(2, "")
		where["the plan of a new version"] = s.Plan()
		s.Apply()
		s.PlanEmpty()
		if got := fmt.Sprint(value(t, "us-1", secrets, ns, "db", "data", "password")); got != base64.StdEncoding.EncodeToString([]byte("fourth-password")) {
			t.Errorf("us-1 has the password %s", got)
		}

		t.Log("a value that a cluster lacks is an error that names it, and no other value")
		delete(passwords, "us-1")
		set(3, "")
		out = s.PlanFails()
		contains(t, out, `Invalid manifest for cluster "us-1"`, "stringData.password", `password`, "values_wo gives the values of each cluster")
		where["the failed plan"] = out
		passwords["us-1"] = "third-password"
		set(3, "")
		s.Apply()
		where["the state"] = read(t, s.Path("terraform.tfstate"))
		where["the TRACE log"] = read(t, log)
		s.nowhere(where, all...)
		s.Env = s.Env[:len(s.Env)-2]
		s.Destroy()
		if left := uids(t, secrets, ns, "db"); len(left) > 0 {
			t.Errorf("left behind on %v", left)
		}
	})
}

// TestAccManifest_sensitiveFields hides fields of objects that are no Secrets.
func TestAccManifest_sensitiveFields(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(v string) {
		s.set(fmt.Sprintf("namespace = %q\nsensitive_fields = [{ target = { kind = \"ConfigMap\", name = \"conf\" }, paths = [\"data.k\"] }]", ns), configMap("conf", v), configMap("open", "in-the-open"))
	}
	set("very-hidden")
	where := map[string]string{"the plan": s.Plan(), "the apply": s.Apply()}
	where["objects"] = fmt.Sprint(dig(s.manifest(), "objects"))
	contains(t, where["objects"], "in-the-open")
	s.PlanEmpty()
	patch(t, "eu-1", configmaps, ns, "conf", `{"data":{"k":"drifted-hidden"}}`)
	where["the plan with drift"] = s.Plan()
	contains(t, where["the plan with drift"], "correct ConfigMap "+ns+"/conf on eu-1: data.k")
	s.Apply()
	set("changed-hidden")
	where["the plan of a change"] = s.Plan()
	s.Apply()
	s.PlanEmpty()

	t.Log("a lost state and an import keep it hidden: the object itself says so")
	s.Must("state", "rm", "fleet_manifest.set")
	where["the import"] = s.Must("import", "-no-color", "fleet_manifest.set", s.name)
	where["objects after the import"] = fmt.Sprint(dig(s.manifest(), "objects"))
	contains(t, where["objects after the import"], "in-the-open", "(sensitive")
	s.Apply()
	s.PlanEmpty()

	t.Log("a field more to hide is hidden by the apply that says so")
	s.set(fmt.Sprintf("namespace = %q\nsensitive_fields = [{ paths = [\"data.k\"] }]", ns), configMap("conf", "changed-hidden"), configMap("open", "in-the-open"))
	s.Apply()
	s.PlanEmpty()
	s.nowhere(map[string]string{"objects": fmt.Sprint(dig(s.manifest(), "objects"))}, "in-the-open")
	s.nowhere(where, "very-hidden", "drifted-hidden", "changed-hidden")
	s.Destroy()
}

// TestAccManifest_secretRefused refuses what would put a Secret's values into the state.
func TestAccManifest_secretRefused(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.only("eu-1")
	s.set("namespace = \"default\"", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {password: very-hidden}\n")
	out := s.MustFail("validate", "-no-color")
	contains(t, out, "A Secret in manifests", "Move it to manifests_wo")
	s.nowhere(map[string]string{"the error": out}, "very-hidden")
	s.Write("wo.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: \"{{ .values.name }}\"}\nstringData: {password: \"{{ .values.password\"}\n")
	s.set("namespace = \"default\"\nmanifests_wo = [file(\"wo.yaml\")]\nmanifests_wo_version = 1")
	contains(t, s.MustFail("validate", "-no-color"), "metadata.name is a template")
}
