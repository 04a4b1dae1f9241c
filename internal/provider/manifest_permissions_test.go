package provider_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// least makes the configuration one of an account with the documented rules, less a verb on a resource where one is given.
func (s *setup) least(ns, verb, resource string) {
	s.t.Helper()
	for name := range s.kubeconfigs {
		c := fleettest.Get(s.t, name)
		system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "fleet-system"}}
		if _, err := c.Admin(s.t).CoreV1().Namespaces().Create(s.t.Context(), system, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			s.t.Fatal(err)
		}
		roles := documented(s.t, "cluster.yaml", "", "")
		token := c.Account(s.t, ns, fleettest.Grant{Rules: without(roles["fleet"], verb, resource)},
			fleettest.Grant{Namespace: "fleet-system", Rules: without(roles["fleet-inventory"], verb, resource)})
		s.kubeconfigs[name] = fleettest.KubeconfigText(name, c.Host, c.CA(s.t), map[string]string{"token": token})
	}
	s.fleet("")
}

// without takes a verb on a resource out of rules.
func without(rules []rbacv1.PolicyRule, verb, resource string) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, r := range rules {
		for _, one := range r.Resources {
			rule := *r.DeepCopy()
			rule.Resources = []string{one}
			if one == resource {
				rule.Verbs = slices.DeleteFunc(rule.Verbs, func(v string) bool { return v == verb })
			}
			if len(rule.Verbs) > 0 {
				out = append(out, rule)
			}
		}
	}
	return out
}

// TestAccManifest_leastPrivilege does all that a set does with the documented ClusterRole and Role and nothing else.
func TestAccManifest_leastPrivilege(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.least(ns, "", "")
	arguments := fmt.Sprintf("namespace = %q", ns)
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	s.set(arguments, configMap("conf", "v"), deployment("web", 1), service)
	noWarnings(t, s.Apply())
	noWarnings(t, s.PlanEmpty())
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":7}}`)
	contains(t, s.Apply(), "spec.replicas is 7, should be 1")
	s.PlanEmpty()
	if left := uids(t, services, ns, "web"); len(left) > 0 {
		t.Errorf("the service is left over on %v", left)
	}

	t.Log("in waves, one of which fails and is rolled back")
	arguments += "\nwait = { timeout = \"10s\" }\n" + waves("on_failure = \"rollback\"")
	for _, text := range []string{"x", "y"} {
		s.set(arguments, configMap("conf", text), deployment("web", 1))
		noWarnings(t, s.Apply())
	}
	s.set(arguments, configMap("new", "v"), homeless("web"))
	contains(t, s.ApplyFails(), "Rollout rolled back in wave \"canary\"", "(restored): eu-1.")
	s.set(arguments, configMap("conf", "y"), deployment("web", 1))
	s.Apply()
	noWarnings(t, s.Destroy())
	if contents, _ := s.kept("eu-1"); contents != "" {
		t.Errorf("eu-1 keeps %s", contents)
	}
	for _, left := range []map[string]string{uids(t, configmaps, ns, "conf"), uids(t, deployments, ns, "web"), uids(t, secrets, "fleet-system", "fleet-"+s.name)} {
		if len(left) > 0 {
			t.Errorf("left behind on %v", left)
		}
	}
}

// TestAccManifest_notAllowed takes the documented permissions away one by one. The plan names each that it will miss.
func TestAccManifest_notAllowed(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	for _, name := range []string{"eu-2", "us-1"} {
		delete(s.kubeconfigs, name)
	}
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, configMap("conf", "v"), deployment("web", 1))
	needs := "applying this plan needs to %s, which this connection is not allowed"
	for _, c := range []struct{ verb, resource, want string }{
		{"patch", "deployments", "cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"" + ns + "\""},
		{"create", "configmaps", "cannot create resource \"configmaps\" in API group \"\" in the namespace \"" + ns + "\""},
		{"list", "configmaps", fmt.Sprintf(needs, "list configmaps")},
		{"get", "deployments", fmt.Sprintf(needs, "get deployments.apps in namespace "+ns)},
		{"get", "secrets", "cannot get resource \"secrets\" in API group \"\" in the namespace \"fleet-system\""},
		{"create", "secrets", "cannot create resource \"secrets\" in API group \"\" in the namespace \"fleet-system\""},
		{"patch", "secrets", fmt.Sprintf(needs, "patch secrets in namespace fleet-system")},
	} {
		t.Run(c.verb+" "+c.resource, func(t *testing.T) {
			s.least(ns, c.verb, c.resource)
			contains(t, s.PlanFails(), "eu-1", c.want, "Nothing was changed.")
		})
	}
	s.least(ns, "", "")
	s.Apply()

	t.Log("of what is there already")
	s.least(ns, "delete", "configmaps")
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	s.Apply()
	s.set(arguments, deployment("web", 1))
	contains(t, s.PlanFails(), "eu-1: "+fmt.Sprintf(needs, "delete configmaps in namespace "+ns))
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	contains(t, s.MustFail("plan", "-destroy", "-no-color"), "The set cannot be removed from 1 cluster", "eu-1: "+fmt.Sprintf(needs, "delete configmaps in namespace "+ns))
	s.least(ns, "delete", "secrets")
	s.Apply()
	contains(t, s.MustFail("plan", "-destroy", "-no-color"), "eu-1: "+fmt.Sprintf(needs, "delete secrets in namespace fleet-system"))

	t.Log("to roll out, and to roll back")
	rolling := arguments + "\n" + waves("on_failure = \"rollback\"")
	for _, verb := range []string{"create", "delete"} {
		s.least(ns, verb, "secrets")
		s.set(rolling, configMap("conf", "x"), deployment("web", 1))
		contains(t, s.PlanFails(), "eu-1: "+fmt.Sprintf(needs, verb+" secrets in namespace fleet-system"))
		s.set(arguments, configMap("conf", "x"), deployment("web", 1))
		s.Plan()
	}
	s.least(ns, "delete", "configmaps")
	s.set(rolling, configMap("conf", "w"), configMap("more", "v"), deployment("web", 1))
	contains(t, s.PlanFails(), "eu-1: "+fmt.Sprintf(needs, "delete configmaps in namespace "+ns))
	s.set(arguments, configMap("conf", "w"), configMap("more", "v"), deployment("web", 1))
	s.Plan()
	s.set(arguments, configMap("conf", "w"), deployment("web", 1))
	s.least(ns, "list", "deployments")
	contains(t, s.Plan(), "deployments.apps is forbidden", "cannot list resource \"deployments\" in API group \"apps\" at the cluster scope")
	s.least(ns, "", "")
	s.Destroy()
}
