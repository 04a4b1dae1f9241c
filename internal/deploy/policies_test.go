package deploy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

var (
	vaps  = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	vapbs = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
)

// verdicts are objects, each with an expression about it. What comes out is what the API server says; the table is here to have a bit of
// everything: defaults, zero values, quantities, numbers that are strings, and missing fields.
var verdicts = []struct{ resource, body, expression string }{
	{"deployments", `spec: {replicas: 3}`, `object.spec.replicas <= 5`},
	{"deployments", `spec: {replicas: 7}`, `object.spec.replicas <= 5`},
	{"deployments", `spec: {}`, `object.spec.replicas == 1`},
	{"deployments", `spec: {paused: false}`, `has(object.spec.paused)`},
	{"deployments", `spec: {paused: true}`, `has(object.spec.paused)`},
	{"deployments", `spec: {}`, `object.spec.nothing == 1`},
	{"deployments", `spec: {replicas: 0}`, `has(object.spec.replicas) && object.spec.replicas == 0`},
	{"deployments", `spec: {strategy: {rollingUpdate: {maxSurge: 1}}}`, `type(object.spec.strategy.rollingUpdate.maxSurge) == int`},
	{"deployments", `spec: {strategy: {rollingUpdate: {maxSurge: "10%"}}}`, `object.spec.strategy.rollingUpdate.maxSurge == '10%'`},
	{"deployments", `{}`, `object.spec.template.spec.containers.all(c, quantity(c.resources.requests.cpu).isLessThan(quantity('400m')))`},
	{"deployments", `{}`, `object.spec.template.spec.containers.all(c, c.image.matches('^registry[.]example[.]org/'))`},
	{"deployments", `{}`, `object.spec.template.spec.containers.exists(c, c.resources.requests['cpu'] == '500m')`},
	{"deployments", `metadata: {labels: {team: a}}`, `'team' in object.metadata.labels && object.metadata.labels.team == 'a'`},
	{"deployments", `{}`, `has(object.metadata.labels) && 'team' in object.metadata.labels`},
	{"deployments", `{}`, `object.metadata.?labels[?'team'].orValue('none') == 'none'`},
	{"deployments", `{}`, `oldObject == null && request.operation == 'CREATE' && request.namespace == object.metadata.namespace`},
	{"deployments", `{}`, `request.kind.group == 'apps' && request.requestResource.resource == 'deployments' && !has(request.subResource)`},
	{"deployments", `{}`, `object.kind == 'Deployment' && object.apiVersion == 'apps/v1'`},
	{"deployments", `{}`, `has(object.status.replicas)`},
	{"configmaps", `data: {a: "1"}`, `int(object.data.a) < 2`},
	{"configmaps", `data: {a: "x"}`, `int(object.data.a) < 2`},
	{"configmaps", `immutable: false`, `has(object.immutable) && !object.immutable`},
	{"configmaps", `binaryData: {b: AAEC}`, `object.binaryData.b == b'\x00\x01\x02'`},
	{"configmaps", `data: {}`, `has(object.data)`},
	{"configmaps", `data: {ip: "10.1.2.3"}`, `cidr('10.0.0.0/8').containsIP(object.data.ip) && url('https://a.b/c').getHost() == 'a.b'`},
	{"services", `spec: {ports: [{port: 80, targetPort: http}]}`, `object.spec.ports[0].targetPort == 'http'`},
	{"services", `spec: {ports: [{port: 80}]}`, `object.spec.ports.all(p, p.protocol == 'TCP' && p.targetPort == 80)`},
	{"services", `spec: {ports: [{port: 80}]}`, `object.spec.type in ['NodePort', 'LoadBalancer']`},
}

// TestPolicy_agrees compares what is said at plan with what an API server says, object by object.
func TestPolicy_agrees(t *testing.T) {
	ns := fleettest.Namespace(t)
	client := fleettest.Get(t, "eu-1").AdminDynamic(t)
	definition := agreement(ns)
	compiled, errs := policy.Compile(definition)
	for _, err := range errs {
		t.Fatal(err)
	}
	plain := make([]*unstructured.Unstructured, len(verdicts))
	for i := range verdicts {
		// Before the policy is there, a dry run tells what the API server makes of the object.
		var err error
		if plain[i], err = dryRun(t, client, ns, i); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	carry(t, client, definition)
	fleettest.Eventually(t, "the API server knows the policy", func() bool {
		_, err := dryRun(t, client, ns, 1)
		return err != nil
	})
	denied := 0
	for i, c := range verdicts {
		t.Run(fmt.Sprintf("%s %s", c.body, c.expression), func(t *testing.T) {
			_, refused := dryRun(t, client, ns, i)
			kind := plain[i].GroupVersionKind()
			v := compiled.Judge(t.Context(), policy.Request{
				Key:  fleet.ObjectKey{Group: kind.Group, Kind: kind.Kind, Namespace: ns, Name: plain[i].GetName()},
				Kind: kind, Resource: schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: c.resource}, Object: typed(plain[i]),
			})
			said := append(v.Violations, v.Errors...)
			switch {
			case v.Unknown != "":
				t.Errorf("unknown: %s", v.Unknown)
			case (refused != nil) != (len(said) > 0):
				t.Errorf("the API server says %v, the plan %q", refused, said)
			case refused != nil && !strings.Contains(refused.Error(), said[0]):
				t.Errorf("the API server says %v, the plan %q", refused, said)
			}
			if refused != nil {
				denied++
			}
		})
	}
	if denied < 8 || denied > len(verdicts)-8 {
		t.Errorf("%d of %d are denied; the table is to have enough of both", denied, len(verdicts))
	}
}

// agreement is a policy in which each object chooses its own expression.
func agreement(ns string) policy.Definition {
	d := policy.Definition{Name: ns, Action: policy.ActionDeny, Clusters: []string{"eu-1"}}
	scope := admissionregistrationv1.AllScopes
	rule := admissionregistrationv1.NamedRuleWithOperations{}
	rule.APIGroups, rule.APIVersions, rule.Resources, rule.Scope = []string{"*"}, []string{"*"}, []string{"deployments", "configmaps", "services"}, &scope
	rule.Operations = []admissionregistrationv1.OperationType{"CREATE"}
	d.Spec.MatchConstraints = &admissionregistrationv1.MatchResources{
		ResourceRules:     []admissionregistrationv1.NamedRuleWithOperations{rule},
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": ns}},
		ObjectSelector:    &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "skip", Operator: metav1.LabelSelectorOpDoesNotExist}}},
	}
	// The root CA is no object of the table.
	d.Spec.MatchConditions = []admissionregistrationv1.MatchCondition{{Name: "table", Expression: "object.metadata.name.startsWith('case-')"}}
	for i, c := range verdicts {
		d.Spec.Validations = append(d.Spec.Validations, admissionregistrationv1.Validation{
			Expression:        fmt.Sprintf("object.metadata.name != 'case-%d' || (%s)", i, c.expression),
			MessageExpression: fmt.Sprintf("'refused by %d: ' + object.metadata.name", i),
		})
	}
	return d
}

func carry(t *testing.T, client dynamic.Interface, d policy.Definition) {
	t.Helper()
	text, err := d.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for i, resource := range []schema.GroupVersionResource{vaps, vapbs} {
		if _, err := client.Resource(resource).Create(t.Context(), &list.Items[i], metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := client.Resource(resource).Delete(context.Background(), d.Name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// dryRun sends an object of the table.
func dryRun(t *testing.T, client dynamic.Interface, ns string, i int) (*unstructured.Unstructured, error) {
	t.Helper()
	c := verdicts[i]
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(c.body), &object.Object); err != nil {
		t.Fatal(err)
	}
	if object.Object == nil {
		object.Object = map[string]any{}
	}
	object.SetName(fmt.Sprintf("case-%d", i))
	object.SetNamespace(ns)
	resource := schema.GroupVersionResource{Version: "v1", Resource: c.resource}
	switch c.resource {
	case "deployments":
		resource.Group = "apps"
		object.SetAPIVersion("apps/v1")
		object.SetKind("Deployment")
		spec, _, _ := unstructured.NestedMap(object.Object, "spec")
		if spec == nil {
			spec = map[string]any{}
		}
		spec["selector"] = map[string]any{"matchLabels": map[string]any{"app": "web"}}
		spec["template"] = map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "web"}}, "spec": map[string]any{
			"containers": []any{map[string]any{"name": "c", "image": "busybox", "resources": map[string]any{"requests": map[string]any{"cpu": 0.5}}}}}}
		object.Object["spec"] = spec
	case "services":
		object.SetAPIVersion("v1")
		object.SetKind("Service")
	default:
		object.SetAPIVersion("v1")
		object.SetKind("ConfigMap")
	}
	return client.Resource(resource).Namespace(ns).Create(t.Context(), object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
}
