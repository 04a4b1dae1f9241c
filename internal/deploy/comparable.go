package deploy

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// What every API server and its controllers write by themselves, and what therefore is never compared.
var (
	volatile = patterns("status", "metadata.uid", "metadata.resourceVersion", "metadata.generation", "metadata.creationTimestamp", "metadata.managedFields",
		"metadata.selfLink", "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.ownerReferences",
		"metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']", "metadata.annotations['deployment.kubernetes.io/*']",
		"metadata.annotations['deprecated.daemonset.template.generation']", "metadata.annotations['pv.kubernetes.io/*']",
		"metadata.annotations['volume.kubernetes.io/*']", "metadata.annotations['volume.beta.kubernetes.io/*']")
	assigned = map[schema.GroupKind][]fleet.Pattern{
		{Kind: "Service"}:               patterns("spec.clusterIPs", "spec.ports[*].nodePort", "spec.healthCheckNodePort"),
		{Kind: "PersistentVolumeClaim"}: patterns("spec.volumeName"),
		{Kind: "Pod"}:                   patterns("spec.nodeName"),
		{Kind: "ServiceAccount"}:        patterns("secrets"),
		{Group: "batch", Kind: "Job"}:   patterns("spec.selector", "metadata.labels['*controller-uid']", "spec.template.metadata.labels['*controller-uid']"),
	}
	clusterIP = patterns("spec.clusterIP")
)

func patterns(texts ...string) []fleet.Pattern {
	out := make([]fleet.Pattern, 0, len(texts))
	for _, text := range texts {
		p, err := fleet.ParsePattern(text)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
}

// comparableFields reads from a live object what can be compared with the same object on another cluster. Values that are never shown are digests,
// salted with the process.
func comparableFields(obj *unstructured.Unstructured, ignore []fleet.Pattern) (ssa.Fields, error) {
	key := keyOf(obj)
	leave := slices.Concat(volatile, assigned[schema.GroupKind{Group: key.Group, Kind: key.Kind}], ignore)
	if ip, _, _ := unstructured.NestedString(obj.Object, "spec", "clusterIP"); key.Group == "" && key.Kind == "Service" && ip != "None" {
		leave = append(leave, clusterIP...)
	}
	body, err := ssa.Without(obj, leave)
	if err != nil {
		return nil, err
	}
	set, err := ssa.SentSet(body)
	if err != nil {
		return nil, err
	}
	_, marked := obj.GetAnnotations()[fleet.HiddenAnnotation]
	return ssa.Project(body, set, hiding{secret: manifest.IsSecret(key), all: marked}.mask(processSalt)), nil
}
