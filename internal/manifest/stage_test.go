package manifest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

func TestStageOf(t *testing.T) {
	tests := map[manifest.Stage][]schema.GroupKind{
		manifest.StageDefinitions: {
			{Kind: "Namespace"},
			{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
		},
		manifest.StageConfig: {
			{Kind: "ConfigMap"},
			{Kind: "Service"},
			{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
			{Group: "networking.k8s.io", Kind: "Ingress"},
			{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"},
			{Group: "apps", Kind: "ControllerRevision"},
		},
		manifest.StageCustom: {
			{Group: "example.org", Kind: "Deployment"},
			{Group: "example.org", Kind: "Namespace"},
			{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"},
		},
		manifest.StageWorkloads: {
			{Kind: "Pod"},
			{Kind: "ReplicationController"},
			{Group: "apps", Kind: "Deployment"},
			{Group: "apps", Kind: "StatefulSet"},
			{Group: "apps", Kind: "DaemonSet"},
			{Group: "apps", Kind: "ReplicaSet"},
			{Group: "batch", Kind: "Job"},
			{Group: "batch", Kind: "CronJob"},
		},
		manifest.StageWebhooks: {
			{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"},
			{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"},
			{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"},
			{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"},
			{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"},
			{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"},
			{Group: "apiregistration.k8s.io", Kind: "APIService"},
		},
	}
	for want, kinds := range tests {
		for _, kind := range kinds {
			if got := manifest.StageOf(kind.Group, kind.Kind); got != want {
				t.Errorf("%s is of stage %s, want %s", kind, got, want)
			}
		}
	}
	if !slices.IsSorted(manifest.Stages) || manifest.Stages[len(manifest.Stages)-1] != manifest.LastStage {
		t.Errorf("stages are %v, the last is %v", manifest.Stages, manifest.LastStage)
	}
}

func TestDefined(t *testing.T) {
	objects := parse(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - {name: v1, served: true, storage: true}
    - {name: v1beta1, served: true}
    - {name: v1alpha1, served: false}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec: {group: example.org, scope: Cluster, names: {kind: Gadget, plural: gadgets}, versions: [{name: v1, served: true}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: broken.example.org}
spec: {group: [example.org], names: x, versions: [a, {name: v1, served: "yes"}]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: bar}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: elsewhere}}
`)
	kinds := []manifest.DefinedKind{
		{GroupKind: schema.GroupKind{Group: "example.org", Kind: "Gadget"}, Plural: "gadgets", Versions: []string{"v1"}},
		{GroupKind: schema.GroupKind{Group: "example.org", Kind: "Widget"}, Plural: "widgets", Versions: []string{"v1", "v1beta1"}, Namespaced: true},
	}
	if diff := cmp.Diff(kinds, manifest.DefinedKinds(objects)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bar", "shop"}, manifest.DefinedNamespaces(objects)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
