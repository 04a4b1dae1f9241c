package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// perCluster are properties that differ from cluster to cluster.
const perCluster = `properties = {
  domain              = "${each.key}.example.org"
  replicas            = each.key == "us-1" ? "3" : "1"
  "example.org/zone"  = "zone-of-${each.key}"
}`

const templated = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: "{{ int .cluster.properties.replicas }}"
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: "nginx:1.27"
        env:
        - {name: HOST, value: "https://{{ .cluster.properties.domain }}/"}
        - {name: ZONE, value: '{{ index .cluster.properties "example.org/zone" }}'}
        - {name: MINOR, value: "{{ .cluster.minor }}"}
        - {name: TIER, value: '{{ .cluster.labels.tier | default "standard" }}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "settings-{{ .cluster.labels.region }}"}
data: {cluster: "{{ .cluster.name }}", braces: '{{ "{{" }}'}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: alerts
  annotations: {fleet.fleetform.io/template: "false"}
data: {text: "{{ $labels.instance }} is down"}
`

// TestAccManifest_template renders one text for clusters that differ.
func TestAccManifest_template(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		arguments := fmt.Sprintf("namespace = %q\ntemplate = true\nwait = { until = \"none\" }", ns)
		s.fleet(perCluster)
		s.set(arguments, templated)
		s.Apply()
		s.PlanEmpty()
		env := func(cluster, name string) any {
			containers, _ := value(t, cluster, deployments, ns, "web", "spec", "template", "spec", "containers").([]any)
			list, _ := containers[0].(map[string]any)["env"].([]any)
			for _, e := range list {
				if e := e.(map[string]any); e["name"] == name {
					return e["value"]
				}
			}
			return nil
		}
		for _, c := range fleettest.Clusters(t) {
			want := int64(1)
			if c.Name == "us-1" {
				want = 3
			}
			if got := value(t, c.Name, deployments, ns, "web", "spec", "replicas"); got != want {
				t.Errorf("%s has %v replicas, want %d", c.Name, got, want)
			}
			for name, want := range map[string]string{"HOST": "https://" + c.Name + ".example.org/", "ZONE": "zone-of-" + c.Name, "TIER": "standard"} {
				if got := env(c.Name, name); got != want {
					t.Errorf("%s: %s is %v, want %q", c.Name, name, got, want)
				}
			}
			region, _, _ := strings.Cut(c.Name, "-")
			if diff := cmp.Diff(any(map[string]any{"cluster": c.Name, "braces": "{{"}), value(t, c.Name, configmaps, ns, "settings-"+region, "data")); diff != "" {
				t.Errorf("%s: %s", c.Name, diff)
			}
			if got := value(t, c.Name, configmaps, ns, "alerts", "data", "text"); got != "{{ $labels.instance }} is down" {
				t.Errorf("%s: the literal braces are %v", c.Name, got)
			}
			if notes, _ := value(t, c.Name, configmaps, ns, "alerts", "metadata", "annotations").(map[string]any); notes["fleet.fleetform.io/template"] != nil {
				t.Errorf("%s: the annotation was sent: %v", c.Name, notes)
			}
		}
		if env("eu-1", "MINOR") == env("us-1", "MINOR") && env("eu-1", "MINOR") == env("eu-2", "MINOR") {
			t.Errorf("all clusters have the minor version %v; the fleet should have two", env("eu-1", "MINOR"))
		}

		t.Log("neither another formatting nor a property that nobody reads is a change")
		s.set(arguments, "# a comment\n"+strings.Replace(templated, "metadata: {name: web}", "metadata:\n    name: 'web'", 1))
		s.PlanEmpty()
		s.fleet(strings.Replace(perCluster, "domain  ", "unread = \"x\"\n  domain  ", 1))
		s.Apply()
		s.PlanEmpty()

		t.Log("a property of one cluster changes one object there")
		s.fleet(strings.Replace(perCluster, `"${each.key}.example.org"`, `each.key == "eu-2" ? "moved.example.org" : "${each.key}.example.org"`, 1))
		contains(t, s.Plan(), "update Deployment.apps "+ns+"/web on eu-2: spec.template.spec.containers[name=web].env[name=HOST].value https://eu-2.example.org/ → https://moved.example.org/", "update = 0 -> 1")
		s.Apply()
		s.PlanEmpty()

		t.Log("what reads another property by the same value plans nothing, and applies nothing wrong")
		s.fleet(strings.NewReplacer("domain  ", "host  ", `"${each.key}.example.org"`, `each.key == "eu-2" ? "moved.example.org" : "${each.key}.example.org"`).Replace(perCluster))
		s.set(arguments, strings.Replace(templated, "properties.domain", "properties.host", 1))
		s.Apply()
		s.PlanEmpty()
		s.Destroy()
	})
}

// TestAccManifest_templateErrors names cluster, object, path and position.
func TestAccManifest_templateErrors(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\ntemplate = true\nwait = { until = \"none\" }", ns)
	s.fleet(strings.Replace(perCluster, "domain  ", "(each.key == \"us-1\" ? \"other\" : \"domain\")", 1))
	s.set(arguments, configMap("first", "v"))
	s.Apply()
	s.set(arguments, configMap("first", "v"), "---\n"+configMap("conf", "https://{{ .cluster.properties.domain }}"))
	contains(t, s.PlanFails(), `Invalid manifest for cluster "us-1"`, "us-1: manifests[1], document 1, line 7: data.k of ConfigMap conf, template at 1:31: .cluster.properties has no key \"domain\"", `"other"`)

	t.Log("what is wrong for every cluster is said once, before any is looked at")
	s.set(arguments, configMap("conf", "{{ .cluster.properties.domain"))
	contains(t, s.PlanFails(), "manifests[0], document 1, line 6: data.k of ConfigMap conf, template", "is not closed")
	s.set(arguments, configMap("conf", "{{ nosuch .cluster.name }}"))
	contains(t, s.PlanFails(), `data.k of ConfigMap conf, template at 1:4: there is no function "nosuch"`)
	s.set(arguments, strings.Replace(configMap("conf", "v"), "ConfigMap", `"{{ .cluster.properties.kind }}"`, 1))
	contains(t, s.PlanFails(), "kind is a template; the kind of an object has to be written out")
	s.set(arguments, strings.Replace(configMap("conf", "v"), "name: conf", "name: conf\n  annotations: {fleet.fleetform.io/template: \"yes\"}", 1))
	contains(t, s.PlanFails(), `metadata.annotations['fleet.fleetform.io/template'] is "yes"; want "true" or "false"`)
	s.set(arguments, configMap(`"{{ .cluster.labels.region }}"`, "v"), configMap("eu", "v"))
	contains(t, s.PlanFails(), "eu-1, eu-2 ConfigMap "+ns+"/eu: the object stands more than once in the set")
}

// TestAccManifest_unknownProperty leaves unknown only what depends on it.
func TestAccManifest_unknownProperty(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	fleet := func(input string) {
		s.fleet("properties = { zone = each.key == \"us-1\" ? terraform_data.zone.output : \"fixed\" }\n}\nresource \"terraform_data\" \"zone\" {\n  input = \"" + input + "\"\n  triggers_replace = [\"" + input + "\"]\n")
	}
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n", ns)
	fleet("a")
	s.set(arguments+"template = true", configMap("conf", "{{ .cluster.properties.zone }}"))
	s.Apply()
	s.PlanEmpty()
	fleet("b")
	plan := s.PlanJSON()
	for _, change := range plan.ResourceChanges {
		if change.Address != "fleet_manifest.set" {
			continue
		}
		unknown, _ := change.Change.AfterUnknown.(map[string]any)["objects"].(map[string]any)
		if unknown["us-1"] != true {
			t.Errorf("objects of us-1 are planned as known: %v", unknown)
		}
		if _, ok := dig(change.Change.After, "objects", "eu-1").(map[string]any); !ok {
			t.Errorf("objects of eu-1 are planned as unknown: %v", unknown)
		}
	}
	s.Apply()
	s.PlanEmpty()
	if got := value(t, "us-1", configmaps, ns, "conf", "data", "k"); got != "b" {
		t.Errorf("us-1 has %v", got)
	}

	t.Log("what reads another property has nothing to do with it")
	s.set(arguments+"template = true", configMap("conf", "{{ .cluster.name }}"))
	s.Apply()
	fleet("e")
	for _, change := range s.PlanJSON().ResourceChanges {
		if change.Address == "fleet_manifest.set" && !change.Change.Actions.NoOp() {
			t.Errorf("the set changes: %v", change.Change.Actions)
		}
	}
	s.Apply()
	s.PlanEmpty()

	t.Log("so it is with the selectors of variants and of overrides")
	fleet("c")
	s.set(arguments+`variants = [{ clusters = { cel = "cluster.properties['zone'] == 'c'" }, manifests = [<<-EOT
`+configMap("conf", "variant")+`EOT
]}]`, configMap("conf", "fallback"))
	s.Apply()
	s.PlanEmpty()
	fleet("d")
	s.set(arguments+`overrides = [{ clusters = { cel = "cluster.properties['zone'] == 'd'" }, merge_patch = "data: {k: overridden}" }]`, configMap("conf", "fallback"))
	s.Apply()
	s.PlanEmpty()
	for name, want := range map[string]string{"us-1": "overridden", "eu-1": "fallback"} {
		if got := value(t, name, configmaps, ns, "conf", "data", "k"); got != want {
			t.Errorf("%s has %v, want %s", name, got, want)
		}
	}
}

// TestAccManifest_annotatedTemplate edits what is a template by its own annotation only.
func TestAccManifest_annotatedTemplate(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(text string) {
		s.set(fmt.Sprintf("namespace = %q", ns), `{apiVersion: v1, kind: ConfigMap, metadata: {name: conf, annotations: {fleet.fleetform.io/template: "true"}}, data: {k: "`+text+`"}}`)
	}
	set("of {{ .cluster.name }}")
	s.Apply()
	set("for {{ .cluster.name }}")
	contains(t, s.Apply(), `data.k \"of eu-1\" → \"for eu-1\"`)
	s.PlanEmpty()
	if got := value(t, "eu-1", configmaps, ns, "conf", "data", "k"); got != "for eu-1" {
		t.Errorf("data.k is %v", got)
	}

	t.Log("and empties the set")
	s.set(fmt.Sprintf("namespace = %q", ns))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}
