package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_overrides applies an override of each kind, on clusters of two minor versions.
func TestAccManifest_overrides(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		s.fleet("")
		arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n", ns)
		rules := `overrides = [
  { clusters = { match_labels = { region = "us" } }, target = { kind = "Deployment" }, json_patch = jsonencode([{ op = "replace", path = "/spec/replicas", value = 5 }]) },
  { clusters = { names = ["eu-1"] }, target = { kind = "Deployment", name = "we*" }, strategic_patch = <<-EOT
    spec: {template: {spec: {nodeSelector: {kubernetes.io/arch: arm64}, containers: [{name: web, env: [{name: SIZE, value: small}]}]}}}
  EOT
  },
  { target = { kind = "ConfigMap", namespace = "` + ns + `" }, merge_patch = "data: {added: x}" },
  { clusters = { exclude = ["us-1"] }, target = { group = "apps" }, images = { nginx = { name = "registry.example.org/nginx", tag = "1.29" } } },
  { clusters = { names = ["eu-2"] }, target = { name = "extra" }, exclude = true },
]`
		s.set(arguments, deployment("web", 2), configMap("conf", "v"), configMap("extra", "v"))
		s.Apply()
		s.set(arguments+rules, deployment("web", 2), configMap("conf", "v"), configMap("extra", "v"))
		contains(t, s.Plan(), "update Deployment.apps "+ns+"/web on us-1: spec.replicas 2 → 5", "delete ConfigMap "+ns+"/extra on eu-2",
			"update ConfigMap "+ns+"/conf on eu-1, eu-2, us-1: data.added (none) → x")
		s.Apply()
		s.PlanEmpty()
		type outcome struct {
			Replicas, Arch, Image, Added any
			Extra                        bool
		}
		for name, want := range map[string]outcome{
			"eu-1": {int64(2), "arm64", "registry.example.org/nginx:1.29", "x", true},
			"eu-2": {int64(2), nil, "registry.example.org/nginx:1.29", "x", false},
			"us-1": {int64(5), nil, "nginx:1.27", "x", true},
		} {
			containers, _ := value(t, name, deployments, ns, "web", "spec", "template", "spec", "containers").([]any)
			container, _ := containers[0].(map[string]any)
			got := outcome{
				Replicas: value(t, name, deployments, ns, "web", "spec", "replicas"), Image: container["image"], Added: value(t, name, configmaps, ns, "conf", "data", "added"),
				Arch: value(t, name, deployments, ns, "web", "spec", "template", "spec", "nodeSelector", "kubernetes.io/arch"), Extra: live(t, name, configmaps, ns, "extra") != nil,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", name, diff)
			}
		}

		t.Log("another formatting of a patch is no change")
		s.set(arguments+strings.Replace(rules, `"data: {added: x}"`, `"data:\n  added: 'x'\n"`, 1), deployment("web", 2), configMap("conf", "v"), configMap("extra", "v"))
		s.PlanEmpty()

		t.Log("without the overrides everything is as it was written")
		s.set(arguments, deployment("web", 2), configMap("conf", "v"), configMap("extra", "v"))
		s.Apply()
		s.PlanEmpty()
		if got := value(t, "us-1", deployments, ns, "web", "spec", "replicas"); got != int64(2) || live(t, "eu-2", configmaps, ns, "extra") == nil {
			t.Errorf("us-1 has %v replicas", got)
		}
		s.Destroy()
	})
}

// TestAccManifest_overrideErrors names rule, cluster, object and path.
func TestAccManifest_overrideErrors(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n", ns)
	s.set(arguments, deployment("web", 2))
	s.Apply()
	for _, c := range []struct {
		rule string
		want []string
	}{
		{`{ clusters = { names = ["ap-1"] }, exclude = true }`, []string{"An override that is for nothing", "overrides[0].clusters: the rule is for none of the clusters of this set (3)"}},
		{`{ target = { kind = "Deploymnt" }, exclude = true }`, []string{"overrides[0].target: the rule is for no object on any of the 3 clusters it is for"}},
		{`{ target = { kind = "Deployment" }, images = { ngnix = { tag = "1" } } }`, []string{`overrides[0].images["ngnix"]: no pod of the objects the rule is for has this image; did you mean "nginx"?`}},
		{`{ clusters = { names = ["eu-2"] }, json_patch = jsonencode([{ op = "replace", path = "/spec/template/spec/hostname", value = "x" }]) }`,
			[]string{`An override cannot be applied for cluster "eu-2"`, "eu-2 Deployment.apps " + ns + "/web: overrides[0].json_patch[0], /spec/template/spec/hostname:"}},
		{`{ merge_patch = "metadata: {name: other}" }`,
			[]string{"An override cannot be applied for 3 clusters", "eu-1, eu-2, us-1 Deployment.apps " + ns + "/web: overrides[0].merge_patch, metadata.name:", "a patch has to keep the identity of the object"}},
		{`{ merge_patch = "kind: StatefulSet" }`, []string{"overrides[0].merge_patch, kind:", "another object"}},
		{`{ merge_patch = "metadata: {labels: {x: 1}}" }`, []string{"Deployment.apps " + ns + "/web, after the overrides: metadata.labels.x", "eu-1, eu-2, us-1"}},
		{`{ merge_patch = "a: {}", exclude = true }`, []string{"Invalid override", "the rule has merge_patch and exclude"}},
		{`{ target = { kind = "Deployment" } }`, []string{"Invalid override", "the rule changes nothing"}},
		{`{ json_patch = "[{op: move}]" }`, []string{"Invalid override", "overrides[0].json_patch[0]"}},
		{`{ merge_patch = "spec: {replicas: many}" }`, []string{"The set cannot be applied to 3 clusters", "spec.replicas"}},
	} {
		s.set(arguments+"overrides = ["+c.rule+"]", deployment("web", 2))
		contains(t, s.PlanFails(), c.want...)
	}
}

// TestAccManifest_overrideSecrets keeps what is write-only out of messages about patches.
func TestAccManifest_overrideSecrets(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	s.Write("secret.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {password: \"{{ .values.password }}\", host: \"{{ .cluster.name }}.db\"}\n")
	set := func(rule string) {
		s.set(fmt.Sprintf("namespace = %q\nmanifests_wo = [file(\"secret.yaml\")]\nmanifests_wo_version = 1\nvalues_wo = { eu-1 = { password = \"very-hidden\" } }\nvalues_wo_version = 1\noverrides = [%s]", ns, rule),
			configMap("plain", "v"))
	}
	set(`{ target = { name = "db" }, json_patch = jsonencode([{ op = "test", path = "/data/password", value = "guess" }]) }`)
	out := s.PlanFails()
	contains(t, out, "ConfigMap "+ns+"/db: overrides[0].json_patch[0], /data/password:")
	if strings.Contains(out, "very-hidden") {
		t.Errorf("the value is shown: %s", out)
	}
	set(`{ target = { name = "db" }, merge_patch = "data: {port: '5432'}" }`)
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(any(map[string]any{"password": "very-hidden", "port": "5432", "host": "eu-1.db"}), value(t, "eu-1", configmaps, ns, "db", "data")); diff != "" {
		t.Error(diff)
	}
	s.nowhere(map[string]string{"the state": read(t, s.Path("terraform.tfstate"))}, "very-hidden")
}

// TestAccManifest_overrideWriteOnly sends what is write-only again when an override that is for it has changed, and only then.
func TestAccManifest_overrideWriteOnly(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	s.Write("secret.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {password: very-hidden}}")
	set := func(manifests, patch string) {
		s.set(fmt.Sprintf("namespace = %q\n%s\nmanifests_wo = [file(\"secret.yaml\")]\nmanifests_wo_version = 1\noverrides = [{ target = { kind = \"Secret\" }, merge_patch = %q }]", ns, manifests, patch))
	}
	set("", `{"metadata": {"labels": {"tier": "one"}}}`)
	s.Apply()
	s.PlanEmpty()
	set("", "metadata:\n  labels:\n    tier: one\n")
	s.PlanEmpty()
	set("", `{"metadata": {"labels": {"tier": "two"}}}`)
	contains(t, s.Apply(), "Secret "+ns+"/db on eu-1")
	s.PlanEmpty()
	if got := value(t, "eu-1", secrets, ns, "db", "metadata", "labels", "tier"); got != "two" {
		t.Errorf("the label is %v", got)
	}

	t.Log("no manifests and an empty list of them are different to Terraform, but make the same set")
	text := read(t, s.Path("set.tf"))
	s.Write("set.tf", strings.Replace(text, "  manifests = [\n  ]\n", "", 1))
	s.Apply()
	s.PlanEmpty()
	s.Write("set.tf", text)
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}
